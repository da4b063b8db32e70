#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "io/file/safetensors_header.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

const HeaderFault fault("a.safetensors", ErrorKind::input, "Fetch it again.");

SafetensorsHeader parse_header(const std::string& header) { return parse_safetensors_header(header, fault); }

void check_header_refused(const std::string& header, const std::string& reason) {
  check_fails(ErrorKind::input, {reason, "a.safetensors"}, [&] { parse_header(header); });
}

}  // namespace

TEST_CASE("a header that is not one JSON object is refused") {
  check_header_refused(" {}", "does not begin with {");
  check_header_refused("[]", "does not begin with {");
  check_header_refused("{", "no JSON");
  check_header_refused("{}{}", "no JSON");
  check_header_refused(std::string("{}\0{}", 5), "NUL");
  check_header_refused("{\"a\xFF\":1}", "no JSON");
  check_header_refused("{\"__metadata__\":{\"a\":\"\xED\xA0\x80\"}}", "no JSON");
  check_header_refused("{\"a\":1}", "a number where it does not belong");
  check_header_refused("{\"a\":null}", "null");
  check_header_refused("{\"a\":[]}", "a list");
  check_header_refused("{\"a\":{\"shape\":{}}}", "an object");
  check_header_refused("{\"a\":{\"dtype\":[\"F32\"]}}", "a list");
  check_header_refused("{\"a\":{\"shape\":[[1]]}}", "a list");
  check_header_refused("{\"a\":{\"shape\":" + std::string(100'000, '[') + "}}", "a list");
}

TEST_CASE("repeated keys have an error of their own") {
  const std::string one = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  CHECK_NOTHROW(parse_header("{\"a\":" + one + "}"));
  check_header_refused("{\"a\":" + one + ",\"a\":" + one + "}", "the tensor \"a\" appears twice");
  check_header_refused("{\"a\":" + one + ",\"\\u0061\":" + one + "}", "the tensor \"a\" appears twice");
  check_header_refused(R"({"__metadata__":{"k":"1","k":"1"}})", "the metadata key \"k\" appears twice");
  check_header_refused(R"({"__metadata__":{},"__metadata__":{}})", "\"__metadata__\" appears twice");
  check_header_refused(R"({"a":{"dtype":"U8","dtype":"U8"}})", "the field dtype twice");
}

TEST_CASE("metadata maps text to text") {
  CHECK(parse_header(R"({"__metadata__":{"k":"v"}})").metadata.at("k") == "v");
  check_header_refused(R"({"__metadata__":{"k":1}})", "a number");
  check_header_refused(R"({"__metadata__":{"k":{}}})", "an object");
  check_header_refused(R"({"__metadata__":{"k":["v"]}})", "a list");
  check_header_refused(R"({"__metadata__":"text"})", "a text");
}

TEST_CASE("a tensor needs its three fields and no other") {
  check_header_refused(R"({"a":{}})", "lacks the field dtype");
  check_header_refused(R"({"a":{"dtype":"U8","shape":[0]}})", "lacks the field data_offsets");
  check_header_refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}})", "unknown field \"x\"");
  check_header_refused(R"({"a":{"dtype":"U7","shape":[0],"data_offsets":[0,0]}})", "unknown dtype \"U7\"");
  check_header_refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}})", "two numbers");
  check_header_refused(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}})", "two numbers");
  check_header_refused(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}})", "negative");
  check_header_refused(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,0]}})", "fraction");
  check_header_refused(R"({"a":{"dtype":"U8","shape":"0","data_offsets":[0,0]}})", "a text");
  CHECK(parse_header(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})").tensors.at("a").end ==
        1);
  check_header_refused(R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})", "more than 8");
}

TEST_CASE("names in messages cannot drive a terminal") { check_header_refused(R"({"\u001b[2J":1})", "\\x1b[2J"); }

TEST_CASE("every dtype has its name and width") {
  CHECK(dtype_name(Dtype::boolean) == "BOOL");
  CHECK(dtype_name(Dtype::bf16) == "BF16");
  CHECK(dtype_name(Dtype::u64) == "U64");
  CHECK(dtype_bits(Dtype::u64) == 64);
  CHECK(dtype_bits(Dtype::f6_e3m2) == 6);
  CHECK(dtype_bits(Dtype::f8_e5m2fnuz) == 8);
}

TEST_CASE("a written header is padded and reads back in the order of writing") {
  const std::string data = "0123456789";
  const std::pair<const std::string, TensorView> second{"second", {Dtype::u8, {10}, as_bytes(data)}};
  const std::pair<const std::string, TensorView> first{"first", {Dtype::f16, {}, as_bytes(data).first(2)}};
  const std::string header = safetensors_header({{"k", "v"}}, std::array{&second, &first});
  CHECK(header.size() % 8 == 0);
  CHECK(header.starts_with(R"({"__metadata__":{"k":"v"},"second":{"dtype":"U8","shape":[10],"data_offsets":[0,10]},)"
                           R"("first":{"dtype":"F16","shape":[],"data_offsets":[10,12]}})"));
  const SafetensorsHeader read = parse_header(header);
  CHECK(read.metadata.at("k") == "v");
  CHECK(read.tensors.at("second").begin == 0);
  CHECK(read.tensors.at("first").begin == 10);
  CHECK(read.tensors.at("first").shape.empty());
}
