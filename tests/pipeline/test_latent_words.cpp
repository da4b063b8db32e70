#include <catch2/catch.hpp>

#include "lapis/error.hpp"
#include "pipeline/latent_words.hpp"

namespace lapis::pipeline {
namespace {

TEST_CASE("a size is two sides with an x between") {
  CHECK(parse_size("512x768", "size") == PixelSize{512, 768});
  CHECK(parse_size("1x16384", "size") == PixelSize{1, 16384});
  for (const char* text : {"", "512", "512x", "x512", "0x8", "8x16385", "8 x 8", "8x8x8", "-8x8", "8x8.0"}) {
    INFO(text);
    CHECK_THROWS_WITH(parse_size(text, "in_size"),
                      Catch::StartsWith("in_size is \"" + std::string(text) + "\"; expected"));
  }
}

TEST_CASE("units and dtypes of latents go by the names of their rows") {
  CHECK(parse_units("vae", "units") == Units::vae);
  CHECK(parse_latent_dtype("bf16", "dtype") == LatentDtype::bf16);
  CHECK_THROWS_WITH(parse_units("vea", "in_units"),
                    Catch::Contains("in_units is \"vea\"") && Catch::Contains("Did you mean"));
  CHECK_THROWS_WITH(parse_latent_dtype("fp8", "dtype"), Catch::Contains("expected one of"));
}

TEST_CASE("hints are what the words mean, under the keys of their fields") {
  ModelCatalog catalog;
  const io::LatentHints hints =
      latent_hints({"sd15:tiny-sd15", "model", "npy", "64x96"}, catalog, {"space", "in_units", "in_format", "in_size"});
  CHECK(hints.space->id == "sd15");
  CHECK(hints.units == Units::model);
  CHECK(hints.format == io::LatentFormat::npy);
  CHECK(hints.size == PixelSize{64, 96});
  CHECK(hints.keys.units == "in_units");
  const io::LatentHints none = latent_hints({}, catalog, {});
  CHECK_FALSE(none.space);
  CHECK_FALSE(none.size);
}

TEST_CASE("a hint that means nothing is refused under the key of its field") {
  ModelCatalog catalog;
  const io::HintKeys keys = {"space", "in_units", "in_format", "in_size"};
  CHECK_THROWS_WITH(latent_hints({"", "", "", "big"}, catalog, keys), Catch::StartsWith("in_size is"));
  CHECK_THROWS_WITH(latent_hints({"", "raw", "", ""}, catalog, keys), Catch::StartsWith("in_units is"));
  CHECK_THROWS_AS(latent_hints({"sd51", "", "", ""}, catalog, keys), Error);
}

}  // namespace
}  // namespace lapis::pipeline
