#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/latent/units.hpp"
#include "io/file/sha256.hpp"
#include "io/latent/latent_file.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// The file of `document` with one tensor more or another.
std::vector<std::byte> with_tensor(const LatentDocument& document, const std::string& name, const TensorView& tensor) {
  const std::vector<std::byte> bytes = latent_bytes(document);
  Safetensors content = parsed(bytes);
  content.tensors[name] = tensor;
  return safetensors_bytes(content);
}

void check_refused(const std::vector<std::byte>& bytes, const std::string& reason) {
  check_fails(ErrorKind::input, {"a.safetensors", reason}, [&] { parse_latent(bytes, "a.safetensors"); });
  check_fails(ErrorKind::input, {"a.safetensors", reason}, [&] { parse_passport(bytes, "a.safetensors"); });
}

Model model_of(const std::vector<std::string>& encoder, const std::vector<std::string>& decoder) {
  Model model;
  model.folder = "/m";
  const auto add = [&](const std::string& part, const std::vector<std::string>& files) {
    Part& added = model.parts[part];
    added.graph = "/m/" + part + ".pt";
    model.files[part + ".pt"].sha256 = part;
    for (const std::string& file : files) {
      added.weights.emplace_back("/m/" + file);
      model.files[file].sha256 = "digest of " + file;
    }
  };
  add("vae_encoder", encoder);
  add("vae_decoder", decoder);
  return model;
}

}  // namespace

TEST_CASE("what is written of a latent is read back") {
  for (const LatentDocument& document : {finished_latent(), partial_latent()}) {
    const std::vector<std::byte> bytes = latent_bytes(document);
    CHECK(parse_passport(bytes, "a.safetensors") == document.passport);
    CHECK(parse_latent(bytes, "a.safetensors") == document);
    CHECK(latent_bytes(parse_latent(bytes, "a.safetensors")) == bytes);
  }
}

TEST_CASE("a latent's file has the tensors that the format names") {
  const LatentDocument document = partial_latent();
  const std::vector<std::byte> bytes = latent_bytes(document);
  const Safetensors content = parsed(bytes);
  REQUIRE(content.tensors.size() == 3);
  CHECK(content.tensors.at("latent").dtype == Dtype::f32);
  CHECK(content.tensors.at("latent").shape == std::vector<std::int64_t>{1, 16, 2, 2});
  CHECK(content.tensors.at("memory.1").shape == std::vector<std::int64_t>{1, 16, 2, 2});
  CHECK(as_text(content.tensors.at("latent").data) == as_text(std::as_bytes(std::span(document.values))));
}

TEST_CASE("a latent keeps its precision") {
  for (const LatentDtype dtype : {LatentDtype::f16, LatentDtype::bf16}) {
    LatentDocument document = finished_latent();
    document.passport.dtype = dtype;
    const std::vector<std::byte> bytes = latent_bytes(document);
    CHECK(parsed(bytes).tensors.at("latent").data.size() == 96);
    CHECK(parse_latent(bytes, "a.safetensors") == document);
    document.values[0] = 1.0009765625F + 0x1p-20F;  // between two numbers of either kind
    const LatentDocument rounded = parse_latent(latent_bytes(document), "a.safetensors");
    CHECK(rounded.values[0] != document.values[0]);
    CHECK(rounded.values[0] == Approx(document.values[0]).epsilon(0.005));
  }
}

TEST_CASE("numbers that are none are refused, read or written") {
  LatentDocument document = finished_latent();
  std::vector<std::byte> bytes = latent_bytes(document);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = -std::numeric_limits<float>::infinity();
  std::memcpy(bytes.data() + bytes.size() - 4, &nan, 4);
  std::memcpy(bytes.data() + bytes.size() - 4 * 47, &infinite, 4);
  check_fails(ErrorKind::input, {"a.safetensors", "2 numbers", "[0, 0, 0, 1]"},
              [&] { parse_latent(bytes, "a.safetensors"); });
  CHECK(parse_passport(bytes, "a.safetensors") == document.passport);
  CHECK(std::isnan(parse_latent(bytes, "a.safetensors", true).values.back()));
  document.values[5] = nan;
  check_fails(ErrorKind::numeric, {"not finite"}, [&] { latent_bytes(document); });
  document.values[5] = 1e6F;
  CHECK_NOTHROW(latent_bytes(document));
  document.passport.dtype = LatentDtype::f16;
  check_fails(ErrorKind::numeric, {"too large for F16"}, [&] { latent_bytes(document); });
}

TEST_CASE("a file without the tensors of a latent is refused") {
  const std::string zeros(4 * 64, '\0');
  const LatentDocument finished = finished_latent();
  const LatentDocument partial = partial_latent();
  check_refused(safetensors_bytes({}), "no tensor \"latent\"");
  check_refused(with_tensor(finished, "latent", {Dtype::f32, {4, 3, 2}, as_bytes(zeros).first(96)}), "[4, 3, 2]");
  check_refused(with_tensor(finished, "latent", {Dtype::i32, {2, 4, 3, 2}, as_bytes(zeros).first(192)}), "I32");
  check_refused(with_tensor(finished, "latent", {Dtype::f32, {2, 4, 0, 2}, {}}), "side of 0");
  check_refused(with_tensor(finished, "latent", {Dtype::f32, {1, 2, 3, 2}, as_bytes(zeros).first(48)}), "2 channels");
  check_refused(with_tensor(finished, "latent", {Dtype::f32, {2, 4, 2, 2}, as_bytes(zeros).first(128)}), "height");
  check_refused(with_tensor(finished, "mask", {Dtype::u8, {1}, as_bytes(zeros).first(1)}), "beside \"latent\"");
  check_refused(with_tensor(finished, "memory.0", {Dtype::f32, {2, 4, 3, 2}, as_bytes(zeros).first(192)}), "finished");
  check_refused(with_tensor(partial, "memory.3", {Dtype::f32, {1, 16, 2, 2}, as_bytes(zeros)}), "beside \"latent\"");
  check_refused(with_tensor(partial, "memory.2", {Dtype::f16, {1, 16, 2, 2}, as_bytes(zeros).first(128)}), "F32");
  check_refused(with_tensor(partial, "memory.2", {Dtype::f32, {1, 16, 4, 1}, as_bytes(zeros)}), "shape");
  CHECK_NOTHROW(parse_latent(with_tensor(partial, "memory.2", {Dtype::f32, {1, 16, 2, 2}, as_bytes(zeros)}), "a"));
}

TEST_CASE("a file over the limits is refused before it is read") {
  LatentDocument document = finished_latent();
  document.extra["x-long"] = std::string(16'000'000, 'a');
  check_fails(ErrorKind::internal, {"16,000,000"}, [&] { latent_bytes(document); });
  Safetensors content;
  content.metadata["x-long"] = std::string(16'000'000, 'a');
  check_refused(safetensors_bytes(content), "16,000,000");
}

TEST_CASE("a broken pipe is told from a damaged file") {
  const std::vector<std::byte> bytes = latent_bytes(finished_latent());
  const auto cut = std::span(bytes).first(bytes.size() - 1);
  check_fails(ErrorKind::input, {"standard input", "cut short", "before the pipe"},
              [&] { parse_passport(cut, "standard input"); });
  check_fails(ErrorKind::input, {"a.safetensors", "cut short", "fetch"}, [&] { parse_passport(cut, "a.safetensors"); });
}

TEST_CASE("what could not be read again is not written") {
  const auto check = [](const auto& change) {
    LatentDocument document = finished_latent();
    CHECK_NOTHROW(latent_bytes(document));
    change(document);
    check_fails(ErrorKind::internal, {}, [&] { latent_bytes(document); });
  };
  check([](LatentDocument& document) { document.passport.space.scale = 0.13025; });
  check([](LatentDocument& document) { document.passport.space.lineage = ""; });
  check([](LatentDocument& document) { document.passport.step = 3; });
  check([](LatentDocument& document) { document.passport.job = "no JSON"; });
  check([](LatentDocument& document) { document.passport.history[0].from = ""; });
  check([](LatentDocument& document) { document.extra["note"] = "without x-"; });
  check([](LatentDocument& document) { document.values.pop_back(); });
  LatentDocument document = finished_latent();
  document.passport.history[0].from = "\xFF";
  check_fails(ErrorKind::usage, {"UTF-8"}, [&] { latent_bytes(document); });
}

TEST_CASE("a document becomes the engine's latent and back, to the bit where no unit changes") {
  const LatentDocument document = partial_latent();
  const Latent latent = to_latent(document);
  CHECK(latent.values == document.values);
  CHECK(latent.memory == document.memory);
  CHECK(latent.sigma == 0.625);
  CHECK(latent.step == 7);
  LatentDocument back = to_document(latent, document.passport);
  back.extra = document.extra;
  CHECK(back == document);
  Passport vae = document.passport;
  vae.units = Units::vae;
  check_fails(ErrorKind::usage, {"partially denoised"}, [&] { to_document(latent, vae); });
}

TEST_CASE("units are left behind and taken up") {
  LatentDocument document = finished_latent();
  document.passport.units = Units::vae;
  const Latent latent = to_latent(document);
  std::vector<float> expected = document.values;
  core::to_model_units(expected, document.passport.shape, document.passport.space);
  CHECK(latent.values == expected);
  CHECK(latent.values != document.values);
  Passport passport;
  passport.units = Units::vae;
  passport.dtype = LatentDtype::f16;
  const LatentDocument back = to_document(latent, passport);
  CHECK(back.values == document.values);  // eighths, to which f16 rounds what the two conversions left over
  CHECK(back.passport.space == document.passport.space);
  CHECK(back.passport.shape == document.passport.shape);
  CHECK(back.passport.sigma == 0);
}

TEST_CASE("a VAE's digest is that of its files in their order") {
  const auto digest = [](const std::string& lines) { return sha256(as_bytes(lines)); };
  CHECK(vae_digest(model_of({"a"}, {"b"})) == digest("digest of a\ndigest of b\n"));
  CHECK(vae_digest(model_of({"a"}, {"a"})) == digest("digest of a\ndigest of a\n"));
  CHECK(vae_digest(model_of({"b"}, {"a"})) != vae_digest(model_of({"a"}, {"b"})));
  CHECK(vae_digest(model_of({}, {"b"})) == digest("vae_encoder\ndigest of b\n"));
  Model model = model_of({"a"}, {"b"});
  model.parts.erase("vae_encoder");
  CHECK(vae_digest(model) == digest("digest of b\n"));
  model.parts.clear();
  CHECK(vae_digest(model).empty());
}
