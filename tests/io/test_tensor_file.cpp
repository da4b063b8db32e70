#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "io/file/safetensors.hpp"
#include "io/file/tensor_file.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

TEST_CASE("a tensor file is opened as what it is, and found in by name") {
  const TemporaryFolder folder;
  const std::vector<float> numbers = {1, 2};
  write_safetensors(folder / "a.safetensors",
                    {{{"a", {Dtype::f32, {2}, std::as_bytes(std::span(numbers))}}}, {{"made by", "hand"}}}, false);
  const std::unique_ptr<TensorFile> file = open_tensor_file(folder / "a.safetensors", ErrorKind::model);
  CHECK(file->tensors().size() == 1);
  REQUIRE(file->find("a") != nullptr);
  CHECK(file->find("a") == &file->tensors().at("a"));
  CHECK(file->find("a")->shape == std::vector<std::int64_t>{2});
  CHECK(file->find("b") == nullptr);
  CHECK(file->metadata().at("made by") == "hand");
  write_text(folder / "b.safetensors", "not one");
  check_fails(ErrorKind::model, {"b.safetensors"},
              [&] { open_tensor_file(folder / "b.safetensors", ErrorKind::model); });
}
