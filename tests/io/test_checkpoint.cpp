#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// A graph of two tensors, as a checkpoint of its own names holds it behind a prefix.
const core::KnownGraph known_graph{"known", "denoiser", {{"a.weight", {2, 2}}, {"b.weight", {1}}}};

core::GraphMatch match(const std::string& prefix) {
  core::GraphMatch result;
  result.graph = known_graph.name;
  result.part = known_graph.part;
  result.prefix = prefix;
  result.wanted = 2;
  return result;
}

/// Writes a file of F32 tensors, each of whose bytes is `fill`.
std::filesystem::path file(const TemporaryFolder& folder, const std::string& name,
                           const std::vector<std::string>& names, char fill = 1) {
  const std::vector<std::byte> numbers(16, static_cast<std::byte>(fill));
  Safetensors content;
  for (const std::string& tensor : names) {
    const bool wide = tensor.ends_with("a.weight");
    content.tensors[tensor] = {Dtype::f32, wide ? std::vector<std::int64_t>{2, 2} : std::vector<std::int64_t>{1},
                               std::span(numbers).first(wide ? 16 : 4)};
  }
  write_safetensors(folder / name, content, true);
  return folder / name;
}

}  // namespace

TEST_CASE("a part's digest does not depend on the files or the prefix that its tensors lie in") {
  const TemporaryFolder folder;
  const auto one = file(folder, "one.safetensors", {"x.a.weight", "x.b.weight", "other"});
  const auto first = file(folder, "first.safetensors", {"a.weight"});
  const auto second = file(folder, "second.safetensors", {"b.weight"});
  const Checkpoint whole({one});
  const Checkpoint shards({first, second});
  CHECK(whole.tensors().size() == 3);
  CHECK(whole.digest_of(match("x."), known_graph) == shards.digest_of(match(""), known_graph));
  CHECK(whole.files_of(match("x."), known_graph) == std::vector<std::filesystem::path>{one});
  CHECK(shards.files_of(match(""), known_graph) == std::vector<std::filesystem::path>{first, second});
  CHECK(whole.dtypes_of(match("x."), known_graph) == "F32");
  const Checkpoint changed({file(folder, "changed.safetensors", {"a.weight", "b.weight"}, 2)});
  CHECK(changed.digest_of(match(""), known_graph) != shards.digest_of(match(""), known_graph));
}

TEST_CASE("a part's tensors are looked at for numbers that are not finite, and other tensors are not") {
  const TemporaryFolder folder;
  const Checkpoint checkpoint({file(folder, "one.safetensors", {"a.weight", "b.weight", "other"}, char(0x7F))});
  const WeightFaults faults = checkpoint.faults_of(match(""), known_graph, false);
  CHECK(faults.count == 0);  // 0x7F7F7F7F is a number
  const Checkpoint bad({file(folder, "bad.safetensors", {"a.weight", "b.weight", "other"}, char(0xFF))});
  CHECK(bad.faults_of(match(""), known_graph, false).count == 2);
  CHECK(bad.faults_of(match(""), known_graph, true).first == "tensor a.weight is NaN or infinite at its number 0");
}

TEST_CASE("a tensor that two files hold is refused, with both named") {
  const TemporaryFolder folder;
  const auto one = file(folder, "one.safetensors", {"a.weight"});
  const auto two = file(folder, "two.safetensors", {"a.weight"});
  CHECK_THROWS_WITH(Checkpoint({one, two}), Catch::Contains("one.safetensors") && Catch::Contains("two.safetensors"));
}

TEST_CASE("four stray bytes at the end are passed over, and no more") {
  const TemporaryFolder folder;
  const auto path = file(folder, "one.safetensors", {"a.weight"});
  const std::string content = as_text(MappedFile(path, ErrorKind::input).bytes());
  write_text(path, content + std::string(4, '\0'));
  CHECK(Checkpoint({path}).tensors().size() == 1);
  CHECK_THROWS_AS(SafetensorsFile(path, ErrorKind::input), Error);
  write_text(path, content + std::string(5, '\0'));
  CHECK_THROWS_WITH(Checkpoint({path}), Catch::Contains("5 bytes"));
}

TEST_CASE("files that are no safetensors are told by what they are") {
  const TemporaryFolder folder;
  const auto says = [&](const std::string& content, const std::string& text) {
    write_text(folder / "a", content);
    CHECK_THROWS_WITH(Checkpoint({folder / "a"}), Catch::Contains(text));
  };
  says("", "empty");
  says("\x80\x04" + std::string(40, 'a'), "PyTorch's file");
  says("PK\x03\x04" + std::string(26, 'a') + "archive/data.pkl" + std::string(40, 'a'), "PyTorch's file");
  says("PK\x03\x04" + std::string(40, 'a'), "is a zip archive, and no checkpoint");
  says("version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS");
  says("<!DOCTYPE html><html>", "a web page");
  says("GGUF" + std::string(40, 'a'), "GGUF");
  says(std::string(80, 'a'), "no safetensors file");
}
