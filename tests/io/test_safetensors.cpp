#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>

#include "io/file/safetensors.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

std::string size_field(std::uint64_t size) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>(size >> (8 * i));
  return text;
}

std::string file_with(const std::string& header, const std::string& data) {
  return size_field(header.size()) + header + data;
}

std::string tensor(const std::string& dtype, const std::string& shape, std::uint64_t begin, std::uint64_t end) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[)" + std::to_string(begin) + "," +
         std::to_string(end) + "]}";
}

Safetensors parse_file(const std::string& file) {
  return parse_safetensors(as_bytes(file), "a.safetensors", ErrorKind::input);
}

void check_file_refused(const std::string& file, const std::string& reason) {
  check_fails(ErrorKind::input, {reason, "a.safetensors"}, [&] { parse_file(file); });
}

const std::string zeros(16, '\0');

}  // namespace

TEST_CASE("a file of the reference writer is read in full") {
  const SafetensorsFile file(data_file("reference.safetensors"), ErrorKind::model);
  CHECK(file.tensors().size() == 8);
  CHECK(file.metadata() == std::map<std::string, std::string>{{"note", "tab\t, quote \", umlaut ü"}});

  const TensorView* weight = file.find("weight");
  REQUIRE(weight != nullptr);
  CHECK(weight->dtype == Dtype::f32);
  CHECK(weight->shape == std::vector<std::int64_t>{2, 3});
  std::array<float, 6> values{};
  REQUIRE(weight->data.size() == sizeof values);
  std::copy(weight->data.begin(), weight->data.end(), std::as_writable_bytes(std::span(values)).begin());
  CHECK(values == std::array<float, 6>{0, 1, 2, 3, 4, 5});

  REQUIRE(file.find("empty") != nullptr);
  CHECK(file.find("empty")->data.empty());
  REQUIRE(file.find("scalar") != nullptr);
  CHECK(file.find("scalar")->shape.empty());
  CHECK(file.find("scalar")->data.size() == 8);
  CHECK(file.find("größe \"x\"") != nullptr);
  CHECK(file.find("Weight") == nullptr);
}

TEST_CASE("the writer gives the bytes of the reference writer") {
  const std::string reference = read_text(data_file("reference.safetensors"));
  Safetensors content = parse_file(reference);
  CHECK(as_text(safetensors_bytes(content)) == reference);
  content.metadata["note"] = "another";
  CHECK(as_text(safetensors_bytes(content)) != reference);
}

TEST_CASE("what is written is read back") {
  const TemporaryFolder folder;
  const std::string data = "0123456789ab";
  Safetensors content;
  content.metadata = {{"empty", ""}, {"format", "lapis"}, {"text", "line\nbreak \\ \" \x01 人生"}};
  content.tensors["latent"] = {Dtype::f16, {1, 3, 1, 2}, as_bytes(data)};
  content.tensors["mask"] = {Dtype::u8, {3}, as_bytes(data).first(3)};
  write_safetensors(folder / "a.safetensors", content, false);
  const SafetensorsFile file(folder / "a.safetensors", ErrorKind::input);
  CHECK(file.metadata() == content.metadata);
  REQUIRE(file.tensors().size() == 2);
  CHECK(as_text(file.find("latent")->data) == data);
  CHECK(as_text(file.find("mask")->data) == "012");
  CHECK(file.find("latent")->shape == std::vector<std::int64_t>{1, 3, 1, 2});
  check_fails(ErrorKind::output, {"overwrite"}, [&] { write_safetensors(folder / "a.safetensors", content, false); });
}

TEST_CASE("a file with nothing in it is valid") {
  CHECK(parse_file(as_text(safetensors_bytes({}))).tensors.empty());
  CHECK(parse_file(file_with("{}", "")).tensors.empty());
  CHECK(parse_file(file_with("{\"__metadata__\":{}}   ", "")).metadata.empty());
}

TEST_CASE("the writer refuses what it could not read back") {
  Safetensors content;
  content.tensors["a"] = {Dtype::f32, {2}, as_bytes(zeros).first(8)};
  CHECK_NOTHROW(safetensors_bytes(content));
  content.tensors["a"].shape = {3};
  check_fails(ErrorKind::internal, {"\"a\""}, [&] { safetensors_bytes(content); });
  Safetensors metadata_as_tensor;
  metadata_as_tensor.tensors["__metadata__"] = {Dtype::f32, {2}, as_bytes(zeros).first(8)};
  check_fails(ErrorKind::internal, {"\"__metadata__\""}, [&] { safetensors_bytes(metadata_as_tensor); });
  Safetensors not_utf8;
  not_utf8.metadata["prompt"] = "\xFF";
  check_fails(ErrorKind::usage, {"UTF-8"}, [&] { safetensors_bytes(not_utf8); });
}

TEST_CASE("a file cut anywhere is refused") {
  const std::string whole = read_text(data_file("reference.safetensors"));
  CHECK_NOTHROW(parse_file(whole));
  std::size_t refused = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto error = error_of([&] { parse_file(whole.substr(0, length)); });
    if (error && error->kind() == ErrorKind::input) ++refused;
  }
  CHECK(refused == whole.size());
  check_file_refused(whole.substr(0, 7), "fewer than the 8");
  check_file_refused(whole.substr(0, 100), "cut short");
  check_file_refused(whole.substr(0, whole.size() - 1), "cut short");
}

TEST_CASE("a flipped bit in the header gives an error or tensors that lie in the file") {
  const std::string whole = read_text(data_file("reference.safetensors"));
  std::size_t header_end = whole.size();
  for (const auto& [name, view] : parse_file(whole).tensors) header_end -= view.data.size();
  std::size_t refused_sizes = 0;
  for (std::size_t at = 0; at < header_end; ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      const auto error = error_of([&] {
        for (const auto& [name, view] : parse_file(damaged).tensors) {
          const auto* begin = reinterpret_cast<const std::byte*>(damaged.data());
          const bool inside =
              view.data.data() >= begin && view.data.data() + view.data.size() <= begin + damaged.size();
          if (!inside) throw std::runtime_error(name + " lies outside the file");
        }
      });
      if (at < 8 && error) ++refused_sizes;
    }
  }
  CHECK(refused_sizes == 64);
}

TEST_CASE("a lying header size is refused") {
  const std::string rest = "{}";
  CHECK_NOTHROW(parse_file(size_field(2) + rest));
  check_file_refused(size_field(0) + rest, "does not begin with {");
  check_file_refused(size_field(1) + rest, "no JSON");
  check_file_refused(size_field(3) + rest, "cut short");
  check_file_refused(size_field(100'000'000) + rest, "cut short");
  check_file_refused(size_field(100'000'001) + rest, "allows 100000000");
  check_file_refused(size_field(std::numeric_limits<std::uint64_t>::max()) + rest, "allows 100000000");
}

TEST_CASE("shapes that overflow are refused") {
  for (const std::string shape : {"[2,18446744073709551614]", "[2,9223372036854775807]", "[18446744073709551615]",
                                  "[4294967296,4294967296]", "[9223372036854775807,9223372036854775807,0]"}) {
    check_file_refused(file_with("{\"a\":" + tensor("U8", shape, 0, 16) + "}", zeros), "too large");
  }
  check_file_refused(file_with("{\"a\":" + tensor("U8", "[18446744073709551616]", 0, 16) + "}", zeros), "too large");
}

TEST_CASE("sub-byte types must fill whole bytes") {
  CHECK_NOTHROW(parse_file(file_with("{\"a\":" + tensor("F4", "[4]", 0, 2) + "}", "xx")));
  check_file_refused(file_with("{\"a\":" + tensor("F4", "[3]", 0, 2) + "}", "xx"), "whole number of bytes");
  CHECK_NOTHROW(parse_file(file_with("{\"a\":" + tensor("F6_E2M3", "[4]", 0, 3) + "}", "xxx")));
}

TEST_CASE("data lie without hole, overlap or rest") {
  const auto two = [](std::uint64_t begin, std::uint64_t end, const std::string& data) {
    const std::string size = std::to_string(end - begin);
    return file_with(
        "{\"b\":" + tensor("U8", "[" + size + "]", begin, end) + ",\"a\":" + tensor("U8", "[4]", 0, 4) + "}", data);
  };
  CHECK(as_text(parse_file(two(4, 8, "aaaabbbb")).tensors.at("b").data) == "bbbb");
  check_file_refused(two(5, 8, "aaaa-bbb"), "a hole before it");
  check_file_refused(two(3, 8, "aaaabbbb"), "overlaps");
  check_file_refused(two(0, 4, "aaaa"), "overlaps");
  check_file_refused(two(4, 8, "aaaabbb"), "cut short");
  check_file_refused(two(4, 8, "aaaabbbb----"), "4 bytes after the last tensor");
  check_file_refused(file_with("{}", "polyglot"), "8 bytes after");
  check_file_refused(file_with("{\"a\":" + tensor("U8", "[4]", 4, 8) + "}", zeros), "a hole");
  check_file_refused(file_with("{\"a\":" + tensor("U8", "[4]", 4, 0) + "}", "0123"), "before it begins");
  check_file_refused(file_with("{\"a\":" + tensor("F32", "[4]", 0, 4) + "}", "0123"), "needs 16 bytes");
  CHECK_NOTHROW(parse_file(file_with("{\"a\":" + tensor("F32", "[0,3]", 0, 0) + "}", "")));
}

TEST_CASE("many overlapping tensors are refused at once") {
  std::string header = "{";
  for (int i = 0; i < 20'000; ++i) {
    header += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":" + tensor("F32", "[4]", 0, 16);
  }
  check_file_refused(file_with(header + "}", zeros), "overlaps");
}

TEST_CASE("tensor_bytes counts whole bytes and never wraps") {
  const auto bytes = [](Dtype dtype, std::vector<std::int64_t> shape) { return tensor_bytes(dtype, shape); };
  CHECK(bytes(Dtype::f32, {}) == 4);
  CHECK(bytes(Dtype::bf16, {2, 3}) == 12);
  CHECK(bytes(Dtype::f64, {0, 5}) == 0);
  CHECK(bytes(Dtype::f4, {3}) == std::nullopt);
  CHECK(bytes(Dtype::f32, {-1}) == std::nullopt);
  CHECK(bytes(Dtype::u8, {std::int64_t{1} << 62, 8}) == std::nullopt);
}

TEST_CASE("a safetensors file keeps its data when it is moved") {
  std::vector<SafetensorsFile> files;
  files.emplace_back(data_file("reference.safetensors"), ErrorKind::model);
  const std::byte* address = files[0].find("weight")->data.data();
  files.emplace_back(data_file("reference.safetensors"), ErrorKind::model);
  CHECK(files[0].find("weight")->data.data() == address);
  check_fails(ErrorKind::model, {"does not exist"}, [] { SafetensorsFile("no.safetensors", ErrorKind::model); });
}
