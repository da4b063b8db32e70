#include <catch2/catch.hpp>
#include <string>

#include "core/latent/units.hpp"
#include "io/latent/latent_formats.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// The formula of scripts/golden/latents.py.
std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 37 % 251) / 8 - 15;
  return values;
}

LatentHints hints(const std::string& space) { return {core::parse_space(space), {}, {}, {}}; }

LatentHints hints(const std::string& space, PixelSize size) { return {core::parse_space(space), {}, {}, size}; }

ForeignLatent read_foreign(const std::string& file, const LatentHints& facts) {
  return read_latent(as_bytes(file), "a", facts);
}

/// Reads a file of tests/data/latents and requires that what `read_passport` says is the same.
ForeignLatent read_both(const std::string& name, const LatentHints& facts) {
  const std::string file = latent_data(name);
  ForeignLatent latent = read_foreign(file, facts);
  const ForeignPassport passport = read_passport(as_bytes(file), "a", facts);
  CHECK(passport.passport == latent.document.passport);
  CHECK(passport.format == latent.format);
  CHECK(passport.layout == latent.layout);
  return latent;
}

void check_refused(ErrorKind kind, const std::string& name, const LatentHints& facts,
                   const std::vector<std::string>& parts) {
  INFO(name);
  const std::string file = latent_data(name);
  check_fails(kind, parts, [&] { read_latent(as_bytes(file), "a", facts); });
  check_fails(kind, parts, [&] { read_passport(as_bytes(file), "a", facts); });
}

}  // namespace

TEST_CASE("a latent of ComfyUI is read in VAE units, with its metadata") {
  const ForeignLatent latent = read_both("comfy.latent", hints("sdxl"));
  const Passport& passport = latent.document.passport;
  CHECK(latent.format == LatentFormat::comfy);
  CHECK(passport.space == core::parse_space("sdxl"));
  CHECK(passport.units == Units::vae);
  CHECK(passport.dtype == LatentDtype::f32);
  CHECK(passport.shape == std::array<std::int64_t, 4>{1, 4, 3, 2});
  CHECK(passport.sigma == 0);
  CHECK(latent.document.values == numbers(24));
  CHECK_THAT(latent.document.extra.at("x-comfy.prompt"), Catch::Contains("día") || Catch::Contains("d\\u00eda"));
  const ForeignLatent half = read_both("comfy_plain.latent", hints("sd15"));
  CHECK(half.document.passport.dtype == LatentDtype::f16);
  CHECK(half.document.values == numbers(24));
  CHECK(half.document.extra.empty());
  CHECK(read_both("comfy_flux.latent", hints("flux")).document.values == numbers(128));
}

TEST_CASE("ComfyUI's old files are SD1's model values, and nothing else") {
  for (const std::string space : {"sd15", "sd2", "sd15:tiny-sd15"}) {
    const ForeignLatent latent = read_both("comfy_old.latent", hints(space));
    CHECK(latent.format == LatentFormat::comfy_old);
    CHECK(latent.document.passport.units == Units::model);
    CHECK(latent.document.values == numbers(24));
  }
  for (const std::string space : {"sdxl", "playground25"}) {
    check_refused(ErrorKind::incompatible, "comfy_old.latent", hints(space), {"latent_format_version_0", space});
  }
}

TEST_CASE("diffusers' latents are model values") {
  const ForeignLatent latent = read_both("diffusers.safetensors", hints("sd15"));
  CHECK(latent.format == LatentFormat::diffusers);
  CHECK(latent.layout == core::Layout::plain);
  CHECK(latent.document.passport.units == Units::model);
  CHECK(latent.document.values == numbers(24));
  const ForeignLatent bf16 = read_both("diffusers_bf16.safetensors", hints("sdxl"));
  CHECK(bf16.document.passport.dtype == LatentDtype::bf16);
  CHECK(bf16.document.values == numbers(24));
  CHECK(bf16.document.extra.at("x-diffusers.format") == "pt");
}

TEST_CASE("Flux's packed tokens are unpacked as diffusers packs them") {
  LatentHints npy = hints("flux", {32, 16});
  npy.format = LatentFormat::diffusers_npy;
  for (const auto& [name, facts] : std::map<std::string, LatentHints>{
           {"diffusers_flux.safetensors", hints("flux", {32, 16})}, {"flux_packed.npy", npy}}) {
    const ForeignLatent latent = read_both(name, facts);
    CHECK(latent.layout == core::Layout::packed);
    CHECK(latent.document.passport.shape == std::array<std::int64_t, 4>{1, 16, 2, 4});
    CHECK(latent.document.values == numbers(128));
  }
  const ForeignLatent turned = read_both("diffusers_flux.safetensors", hints("flux", {16, 32}));
  CHECK(turned.document.passport.shape == std::array<std::int64_t, 4>{1, 16, 4, 2});
  CHECK(turned.document.values != numbers(128));
  npy.format = LatentFormat::diffusers;
  CHECK(read_both("flux_packed.npy", npy).format == LatentFormat::diffusers_npy);
}

TEST_CASE("Flux's latents that are not packed are dgenerate's or .npy") {
  const ForeignLatent flux = read_both("dgenerate_flux.safetensors", hints("flux"));
  CHECK(flux.format == LatentFormat::dgenerate);
  CHECK(flux.layout == core::Layout::plain);
  CHECK(flux.document.values == numbers(128));
  const ForeignLatent one = read_both("dgenerate_one.safetensors", hints("sd15"));
  CHECK(one.document.passport.shape == std::array<std::int64_t, 4>{1, 4, 3, 2});
  LatentHints said = hints("sd15");
  said.format = LatentFormat::dgenerate;
  CHECK(read_both("diffusers.safetensors", said).format == LatentFormat::dgenerate);
}

TEST_CASE("arrays of NumPy have the units that are told") {
  for (const Units units : {Units::model, Units::vae}) {
    LatentHints facts = hints("sd15");
    facts.units = units;
    for (const std::string name : {"plain.npy", "plain_f16.npy", "one.npy", "version2.npy"}) {
      const ForeignLatent latent = read_both(name, facts);
      CHECK(latent.format == LatentFormat::npy);
      CHECK(latent.document.passport.units == units);
      CHECK(latent.document.passport.shape == std::array<std::int64_t, 4>{1, 4, 3, 2});
      CHECK(latent.document.values == numbers(24));
    }
  }
}

TEST_CASE("what a format does not say must be hinted") {
  check_refused(ErrorKind::usage, "comfy.latent", {}, {"comfy", "space"});
  check_refused(ErrorKind::usage, "comfy_old.latent", {}, {"space"});
  check_refused(ErrorKind::usage, "diffusers.safetensors", {}, {"space"});
  check_refused(ErrorKind::usage, "plain.npy", {}, {"space"});
  check_refused(ErrorKind::usage, "plain.npy", hints("sd15"), {"units"});
  check_refused(ErrorKind::usage, "diffusers_flux.safetensors", hints("flux"), {"2 tokens of 16 x 16", "size WxH"});
}

TEST_CASE("what is told against the file is refused") {
  LatentHints facts = hints("sd15");
  facts.units = Units::model;
  check_refused(ErrorKind::incompatible, "comfy.latent", facts, {"vae units", "units says model"});
  facts.units = Units::vae;
  check_refused(ErrorKind::incompatible, "diffusers.safetensors", facts, {"model units", "units says vae"});
  facts.units.reset();
  facts.format = LatentFormat::lapis;
  check_refused(ErrorKind::incompatible, "comfy.latent", facts, {"format comfy", "format says lapis"});
  facts.format = LatentFormat::npy;
  check_refused(ErrorKind::incompatible, "diffusers.safetensors", facts, {"format says npy"});
  check_refused(ErrorKind::incompatible, "comfy.latent", hints("sd15", {16, 16}), {"16x24", "size says 16x16"});
  CHECK_NOTHROW(read_both("comfy.latent", hints("sd15", {16, 24})));
  check_refused(ErrorKind::incompatible, "comfy.latent", hints("flux"), {"[1, 4, 3, 2]", "16 channels"});
  check_refused(ErrorKind::incompatible, "diffusers_flux.safetensors", hints("sd15"), {"[1, 2, 64]", "4 channels"});
  check_refused(ErrorKind::incompatible, "diffusers_flux.safetensors", hints("flux", {32, 32}), {"2 tokens", "has 4"});
}

TEST_CASE("packed tokens of an odd picture, or in .npy without a word of it, are refused") {
  check_refused(ErrorKind::usage, "diffusers_flux.safetensors", hints("flux", {24, 16}), {"multiples of 16"});
  check_refused(ErrorKind::usage, "diffusers_flux.safetensors", hints("flux", {0, 16}), {"multiples of 16"});
  LatentHints facts = hints("flux", {32, 16});
  facts.units = Units::model;
  check_refused(ErrorKind::incompatible, "flux_packed.npy", facts, {"format diffusers"});
}

TEST_CASE("a latent of lapis is read as it is, and what is told may only agree") {
  const std::string file = as_text(latent_bytes(finished_latent()));
  const ForeignLatent latent = read_foreign(file, {});
  CHECK(latent.document == finished_latent());
  CHECK(latent.format == LatentFormat::lapis);
  LatentHints facts = hints("sd15:tiny-sd15", {16, 24});
  facts.format = LatentFormat::lapis;
  facts.units = Units::model;
  CHECK(read_foreign(file, facts).document == finished_latent());
  const auto refuses = [&](const LatentHints& wrong, const std::vector<std::string>& parts) {
    check_fails(ErrorKind::incompatible, parts, [&] { read_foreign(file, wrong); });
    check_fails(ErrorKind::incompatible, parts, [&] { read_passport(as_bytes(file), "a", wrong); });
  };
  refuses(hints("sd15"), {"sd15:tiny-sd15", "space says sd15 (", "lineage sd15"});
  refuses(hints("sdxl"), {"scale 0.18215", "scale 0.13025"});
  refuses(hints("sd15:tiny-sd15", {24, 16}), {"size says 24x16"});
  LatentHints units;
  units.units = Units::vae;
  refuses(units, {"units says vae"});
  LatentHints format;
  format.format = LatentFormat::comfy;
  refuses(format, {"format says comfy"});
}

TEST_CASE("NaN is refused in every form, and looked at when it is asked for") {
  for (const std::string name : {"comfy.latent", "diffusers.safetensors", "plain.npy"}) {
    std::string file = latent_data(name);
    file.replace(file.size() - 4, 4, std::string("\0\0\xC0\x7F", 4));
    LatentHints facts = hints("sd15");
    if (name == "plain.npy") facts.units = Units::model;
    check_fails(ErrorKind::input, {"1 number that is not finite", "[0, 3, 2, 1]"}, [&] { read_foreign(file, facts); });
    CHECK(std::isnan(read_latent(as_bytes(file), "a", facts, true).document.values.back()));
    CHECK_NOTHROW(read_passport(as_bytes(file), "a", facts));
  }
}
