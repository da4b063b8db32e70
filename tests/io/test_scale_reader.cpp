#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint.hpp"
#include "io/checkpoint/scale_reader.hpp"
#include "io/file/half.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

template <class Number>
std::vector<std::byte> bytes_of(const std::vector<Number>& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

/// A weight of 4 x 4 in fp8 whose rows 0 and 1 are zeros of both signs, with scales of its rows, and a note.
struct Quantized {
  std::vector<std::byte> weight = std::vector<std::byte>(16, std::byte{0x38});
  std::vector<float> scales = {1, 2, 3, 4};
  std::string note;
  std::string metadata;

  Quantized() {
    for (std::size_t i = 0; i < 8; ++i) weight[i] = std::byte{i % 2 == 0 ? std::uint8_t{0} : std::uint8_t{0x80}};
  }

  /// As two files, the scales in the second.
  std::vector<std::filesystem::path> files(const TemporaryFolder& folder) const {
    Safetensors one;
    Safetensors two;
    one.tensors["a.weight"] = {Dtype::f8_e4m3, {4, 4}, weight};
    two.tensors["a.weight_scale"] = {Dtype::f32, {4}, std::as_bytes(std::span(scales))};
    if (!note.empty()) {
      one.tensors["a.comfy_quant"] = {Dtype::u8, {static_cast<std::int64_t>(note.size())}, bytes_of(note)};
    }
    if (!metadata.empty()) one.metadata["_quantization_metadata"] = metadata;
    write_safetensors(folder / "one.safetensors", one, true);
    write_safetensors(folder / "two.safetensors", two, true);
    return {folder / "one.safetensors", folder / "two.safetensors"};
  }
};

/// What such files are refused with; "" where they are not.
std::string refusal(const Quantized& quantized) {
  const TemporaryFolder folder;
  const std::vector<std::filesystem::path> paths = quantized.files(folder);
  std::vector<SafetensorsFile> files;
  for (const auto& path : paths) files.emplace_back(path, ErrorKind::input);
  const std::vector<const TensorFile*> both = {&files[0], &files[1]};
  try {
    const core::WeightScales scales = read_weight_scales(both, paths, ErrorKind::model);
    CHECK(scales.weights.size() == 1);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("scales are read in every type that programs write") {
  const std::vector<float> numbers = {0.5F, 3.0F, 0x1p-14F};
  std::vector<std::uint16_t> halves;
  std::vector<std::uint16_t> brains;
  std::vector<double> doubles;
  for (const float number : numbers) {
    halves.push_back(to_f16(number));
    brains.push_back(to_bf16(number));
    doubles.push_back(number);
  }
  CHECK(scale_numbers({Dtype::f32, {3}, bytes_of(numbers)}) == numbers);
  CHECK(scale_numbers({Dtype::f16, {3}, bytes_of(halves)}) == numbers);
  CHECK(scale_numbers({Dtype::bf16, {3}, bytes_of(brains)}) == numbers);
  CHECK(scale_numbers({Dtype::f64, {3}, bytes_of(doubles)}) == numbers);
}

TEST_CASE("scales of weights in several files are found, and what is wrong is said of the file it is in") {
  CHECK(refusal({}).empty());
  Quantized odd;
  odd.scales = {1, 2, 3, -4};
  CHECK_THAT(refusal(odd), Catch::Contains("two.safetensors: the scale a.weight_scale is negative at its number 3"));
}

TEST_CASE("a scale that is no scale is refused: NaN, infinite, negative, too large, 0 over weights that are not") {
  const auto with = [](std::size_t place, float number) {
    Quantized quantized;
    quantized.scales[place] = number;
    return refusal(quantized);
  };
  CHECK_THAT(with(0, std::numeric_limits<float>::quiet_NaN()), Catch::Contains("is NaN or infinite at its number 0"));
  CHECK_THAT(with(1, std::numeric_limits<float>::infinity()), Catch::Contains("is NaN or infinite at its number 1"));
  CHECK_THAT(with(2, -1), Catch::Contains("is negative at its number 2"));
  CHECK_THAT(with(3, 1e35F), Catch::Contains("is too large at its number 3"));
  CHECK(with(0, 0).empty());
  CHECK(with(1, 0).empty());
  CHECK_THAT(with(2, 0), Catch::Contains("is 0 at its number 2, over weights that are not"));
}

TEST_CASE("notes are read out of tensors and out of the header, and one that cannot be read is refused") {
  Quantized noted;
  for (const char* good : {R"({"format": "float8_e4m3fn"})", R"({"format": "float8_e4m3fn_rowwise", "convrot": false})",
                           R"({"format": "float8_e4m3fn", "full_precision_matrix_mult": true, "group_size": null})",
                           R"({"format": "float8_e4m3fn", "orig_dtype": "torch.bfloat16", "orig_shape": [4, 4]})"}) {
    CAPTURE(good);
    noted.note = good;
    CHECK(refusal(noted).empty());
    Quantized hints;
    hints.metadata = R"({"format_version": "1.0", "layers": {"a": )" + std::string(good) + "}}";
    CHECK(refusal(hints).empty());
  }
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"format": "nvfp4"})", "a.weight is quantized as nvfp4"},
      {R"({"format": "float8_e5m2"})", "is said to be float8_e5m2"},
      {R"({"format": "float8_e4m3fn", "convrot": true})", "with convrot"},
      {R"({"format": 8})", "format is 8, expected a text"},
      {R"({"form": "float8_e4m3fn"})", "lacks the key \"format\""},
      {R"({"format": "float8_e4m3fn", "group_size": -1})", "group_size"},
      {R"([])", "is a list"},
      {R"({"format")", "is no JSON"},
  };
  for (const auto& [text, says] : bad) {
    CAPTURE(text);
    noted.note = text;
    CHECK_THAT(refusal(noted), Catch::Contains(says) && Catch::Contains("one.safetensors"));
    if (says == "is no JSON") continue;
    Quantized hints;
    hints.metadata = R"({"layers": {"a": )" + text + "}}";
    CHECK_THAT(refusal(hints), Catch::Contains(says));
  }
  Quantized shorter;
  shorter.metadata = R"({"layers": {"a": "float8_e4m3fn"}})";
  CHECK(refusal(shorter).empty());
  shorter.metadata = "{}";
  CHECK_THAT(refusal(shorter), Catch::Contains("layers"));
}

TEST_CASE(
    "a checkpoint's scales belong to its weights: their file, digest and dtype, and are no tensors of their own") {
  const TemporaryFolder folder;
  const core::KnownGraph graph{"known", "vae_decoder", {{"a.weight", {4, 4}}}};
  core::GraphMatch match;
  match.wanted = 1;
  const Checkpoint checkpoint(Quantized().files(folder));
  CHECK(checkpoint.tensors().size() == 1);
  CHECK(checkpoint.files_of(match, graph).size() == 2);
  CHECK(checkpoint.dtypes_of(match, graph) == "F8_E4M3 with scales");
  CHECK(checkpoint.odd_dtype_of(match, graph).empty());
  const TemporaryFolder other;
  Quantized changed;
  changed.scales[3] = 5;
  CHECK(Checkpoint(changed.files(other)).digest_of(match, graph) != checkpoint.digest_of(match, graph));
}

TEST_CASE("numbers that are no weights as they stand are told, before a model is made of them") {
  const TemporaryFolder folder;
  const core::KnownGraph graph{"known", "denoiser", {{"a.weight", {4, 4}}}};
  core::GraphMatch match;
  match.wanted = 1;
  for (const Dtype dtype : {Dtype::i8, Dtype::u8, Dtype::f8_e4m3fnuz, Dtype::boolean, Dtype::f8_e8m0}) {
    const std::vector<std::byte> numbers(16);
    Safetensors content;
    content.tensors["a.weight"] = {dtype, {4, 4}, numbers};
    write_safetensors(folder / "a.safetensors", content, true);
    const Checkpoint checkpoint({folder / "a.safetensors"});
    CHECK(checkpoint.odd_dtype_of(match, graph) == "tensor a.weight is " + std::string(dtype_name(dtype)));
  }
}
