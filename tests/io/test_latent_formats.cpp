#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/latent/units.hpp"
#include "io/latent/latent_formats.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

struct Case {
  std::string name;  ///< of a file in tests/data/latents
  std::string space;
  std::optional<Units> units;
  std::optional<LatentFormat> format;
  std::optional<PixelSize> size;
};

std::vector<Case> cases() {
  return {{"comfy.latent", "sd15", {}, {}, {}},
          {"comfy_plain.latent", "sdxl", {}, {}, {}},
          {"comfy_flux.latent", "flux", {}, {}, {}},
          {"diffusers.safetensors", "sd15", {}, {}, {}},
          {"diffusers_bf16.safetensors", "sd15", {}, {}, {}},
          {"diffusers_flux.safetensors", "flux", {}, {}, PixelSize{32, 16}},
          {"dgenerate_flux.safetensors", "flux", {}, {}, {}},
          {"plain.npy", "sd15", Units::vae, {}, {}},
          {"plain_f16.npy", "playground25", Units::model, {}, {}},
          {"flux_packed.npy", "flux", {}, LatentFormat::diffusers_npy, PixelSize{32, 16}}};
}

ForeignLatent read(const std::string& file, const Case& each) {
  return read_latent(as_bytes(file), each.name, {core::parse_space(each.space), each.units, each.format, each.size});
}

}  // namespace

TEST_CASE("every format has a row, found by its name") {
  std::set<std::string> names;
  std::set<std::string> endings;
  for (const LatentFormatRow& row : latent_formats()) {
    CHECK(&find_latent_format(row.name) == &row);
    CHECK(&latent_format_row(row.format) == &row);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.description.empty());
    CHECK(row.has_space == (row.format == LatentFormat::lapis));
    for (const std::string& ending : row.endings) CHECK(endings.insert(ending).second);
  }
  CHECK(names.size() == 7);
  check_fails(ErrorKind::usage, {"\"comfi\"", "Did you mean \"comfy\"?"}, [] { find_latent_format("comfi"); });
}

TEST_CASE("what came in goes out again, every byte of it") {
  for (const Case& each : cases()) {
    INFO(each.name);
    const std::string file = read_text(data_file("latents/" + each.name));
    const ForeignLatent latent = read(file, each);
    CHECK(as_text(write_latent(latent.document, latent.format)) == file);
  }
}

TEST_CASE("a foreign latent goes through lapis' own format and comes out as it went in") {
  for (const Case& each : cases()) {
    INFO(each.name);
    const std::string file = read_text(data_file("latents/" + each.name));
    const ForeignLatent latent = read(file, each);
    const LatentDocument own = parse_latent(write_latent(latent.document, LatentFormat::lapis), "b");
    CHECK(own == latent.document);
    CHECK(as_text(write_latent(own, latent.format)) == file);
  }
}

TEST_CASE("one picture without its batch comes out with the same numbers") {
  for (const Case& each :
       {Case{"one.npy", "sd15", Units::model, {}, {}}, Case{"dgenerate_one.safetensors", "sd15", {}, {}, {}}}) {
    const std::string file = read_text(data_file("latents/" + each.name));
    const ForeignLatent latent = read(file, each);
    const std::vector<std::byte> again = write_latent(latent.document, latent.format);
    CHECK(as_text(again).substr(again.size() - 96) == file.substr(file.size() - 96));
  }
}

TEST_CASE("numbers change their units where the format wants others") {
  const LatentDocument document = finished_latent();
  const LatentHints facts{document.passport.space, {}, {}, {}};
  std::vector<float> expected = document.values;
  core::to_vae_units(expected, document.passport.shape, document.passport.space);
  const ForeignLatent comfy = read_latent(write_latent(document, LatentFormat::comfy), "a", facts);
  CHECK(comfy.document.values == expected);
  CHECK(comfy.document.passport.units == Units::vae);
  const ForeignLatent back = read_latent(write_latent(comfy.document, LatentFormat::diffusers), "a", facts);
  core::to_model_units(expected, document.passport.shape, document.passport.space);
  CHECK(back.document.values == expected);
  const std::vector<std::byte> npy = write_latent(comfy.document, LatentFormat::npy);
  CHECK(read_latent(npy, "a", {facts.space, Units::vae, {}, {}}).document.values == comfy.document.values);
}

TEST_CASE("brain floats become floats in .npy, which has none") {
  LatentDocument document = finished_latent();
  document.passport.dtype = LatentDtype::bf16;
  const LatentHints facts{document.passport.space, Units::model, {}, {}};
  const ForeignLatent read = read_latent(write_latent(document, LatentFormat::npy), "a", facts);
  CHECK(read.document.passport.dtype == LatentDtype::f32);
  CHECK(read.document.values == document.values);
}

TEST_CASE("formats hold only what they can") {
  for (const LatentFormatRow& row : latent_formats()) {
    INFO(row.name);
    if (row.format == LatentFormat::lapis) {
      CHECK_NOTHROW(write_latent(partial_latent(), row.format));
    } else if (row.format == LatentFormat::comfy_old) {
      check_fails(ErrorKind::usage, {"only read"}, [&] { write_latent(finished_latent(), row.format); });
    } else {
      CHECK_NOTHROW(write_latent(finished_latent(), row.format));
      check_fails(ErrorKind::usage, {row.name, "sigma 0.625 after 7 steps", "format lapis"},
                  [&] { write_latent(partial_latent(), row.format); });
    }
  }
}

TEST_CASE("only a format's own metadata go into its file") {
  LatentDocument document = finished_latent();
  document.extra = {
      {"x-comfy.prompt", "{}"}, {"x-comfy.workflow", "[]"}, {"x-diffusers.format", "pt"}, {"x-note", "b"}};
  const std::vector<std::byte> comfy = write_latent(document, LatentFormat::comfy);
  CHECK(parsed(comfy).metadata == std::map<std::string, std::string>{{"prompt", "{}"}, {"workflow", "[]"}});
  const std::vector<std::byte> diffusers = write_latent(document, LatentFormat::diffusers);
  CHECK(parsed(diffusers).metadata == std::map<std::string, std::string>{{"format", "pt"}});
  CHECK(parse_latent(write_latent(document, LatentFormat::lapis), "a").extra == document.extra);
}
