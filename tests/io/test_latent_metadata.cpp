#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "io/latent/latent_metadata.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

using Changes = std::map<std::string, std::string>;

Passport read(const LatentDocument& document, const Changes& changes) {
  return parse_passport(with_metadata(document, changes), "a.safetensors");
}

void check_refused(const LatentDocument& document, const Changes& changes, const std::string& reason,
                   ErrorKind kind = ErrorKind::input) {
  INFO(changes.begin()->first << " = " << changes.begin()->second);
  check_fails(kind, {"a.safetensors", reason}, [&] { read(document, changes); });
}

/// In a space of its own, so that no row of the table contradicts its numbers.
LatentDocument own_latent() {
  LatentDocument document = finished_latent();
  document.passport.space.id = "own";
  document.passport.space.shift = -0.125;
  return document;
}

}  // namespace

TEST_CASE("the metadata are those that the format names") {
  const auto metadata = metadata_of(finished_latent().passport);
  CHECK(metadata.at("format") == "lapis.latent.1");
  CHECK(metadata.at("space") == "sd15");
  CHECK(metadata.at("lineage") == "tiny-sd15");
  CHECK(metadata.at("scale") == "0.18215");
  CHECK(metadata.at("shift") == "0");
  CHECK(metadata.at("width") == "16");
  CHECK(metadata.at("height") == "24");
  CHECK(metadata.at("sigma") == "0");
  CHECK(metadata.at("history") ==
        R"([{"route":"re-encode","from":"sdxl:tiny-sdxl","to":"sd15:tiny-sd15","size":[16,24],"psnr":31.25},)"
        R"({"route":"re-encode","from":"flux","to":"sdxl:tiny-sdxl","size":[16,32]}])");
  CHECK_FALSE(metadata.contains("path"));
  CHECK_FALSE(metadata.contains("mean"));
  const auto run = metadata_of(partial_latent().passport);
  CHECK(run.at("path") == "flow");
  CHECK(run.at("step") == "7");
  CHECK(run.at("draws") == "8");
}

TEST_CASE("every required key is missed") {
  for (const auto& [key, text] : metadata_of(finished_latent().passport)) {
    if (key == "program" || key == "vae_sha256" || key == "job" || key == "history") {
      CHECK_NOTHROW(read(finished_latent(), {{key, ""}}));
    } else {
      check_refused(finished_latent(), {{key, ""}}, '"' + key + '"');
    }
  }
  for (const std::string key : {"path", "step", "draws"}) {
    check_refused(partial_latent(), {{key, ""}}, "partially denoised, but lacks \"" + key + '"');
    check_refused(finished_latent(), {{key, "1"}}, "has \"" + key + "\", which only a partially denoised latent has");
  }
}

TEST_CASE("unknown keys are refused unless they are somebody's own") {
  check_refused(finished_latent(), {{"scael", "1"}}, "Did you mean \"scale\"?");
  check_refused(finished_latent(), {{"X-note", "1"}}, "begin with \"x-\"");
  CHECK(read(finished_latent(), {{"x-scael", "1"}}) == finished_latent().passport);
}

TEST_CASE("another format is named") {
  check_refused(finished_latent(), {{"format", "lapis.latent.2"}}, "newer lapis");
  check_refused(finished_latent(), {{"format", "pt"}}, "\"pt\"");
}

TEST_CASE("a space's name and numbers must agree") {
  const auto contradiction = [](const Changes& changes, const std::string& reason) {
    check_refused(finished_latent(), changes, reason, ErrorKind::incompatible);
  };
  contradiction({{"scale", "0.13025"}}, "scale is 0.13025, not 0.18215");
  contradiction({{"scale", "0.13025"}}, "numbers of \"sdxl\"");
  contradiction({{"space", "sdxl"}}, "4 ch, 1/8, scale 0.13025, lineage tiny-sd15");
  contradiction({{"space", "sdxl"}}, "4 ch, 1/8, scale 0.18215, lineage tiny-sd15");
  contradiction({{"shift", "0.1"}}, "shift is 0.1, not 0");
  contradiction({{"downscale", "4"}}, "downscale is 4, not 8");
  contradiction({{"channels", "16"}}, "channels is 16, not 4");
  contradiction({{"space", "playground25"}}, "scale is 0.18215, not 0.5");
  contradiction({{"space", "playground25"}, {"scale", "0.5"}}, "a mean of each channel is missing");
  contradiction({{"shift", ""}, {"mean", "0,0,0,0"}, {"deviation", "1,1,1,1"}}, "no place there");
  LatentDocument means = finished_latent();
  means.passport.space = core::parse_space("playground25");
  CHECK(read(means, {{"x-a", "1"}}) == means.passport);
  check_refused(means, {{"mean", "-1.6574,1.886,-1.383,2.5"}}, "mean of channel 3 is 2.5, not 2.5155",
                ErrorKind::incompatible);
  check_refused(means, {{"deviation", "8,5.9022,6.5498,5.2299"}}, "deviation of channel 0 is 8, not 8.4927",
                ErrorKind::incompatible);
}

TEST_CASE("a space of somebody's own is taken as written, if all its numbers are there") {
  CHECK(read(own_latent(), {{"x-a", "1"}}) == own_latent().passport);
  check_refused(own_latent(), {{"scale", ""}}, "a space that lapis does not know, \"own\", needs all its numbers");
  check_refused(own_latent(), {{"shift", ""}}, "\"shift\", or mean and deviation");
  check_refused(own_latent(), {{"mean", "0,0,0,0"}}, "both a shift and means");
  check_refused(own_latent(), {{"shift", ""}, {"mean", "0,0,0,0"}}, "lacks the metadata \"deviation\"");
  check_refused(own_latent(), {{"shift", ""}, {"mean", "0,0,0"}, {"deviation", "1,1,1,1"}}, "has 3 numbers");
  check_refused(own_latent(), {{"shift", ""}, {"mean", "0,0,,0"}, {"deviation", "1,1,1,1"}}, "mean[2]");
  check_refused(own_latent(), {{"shift", ""}, {"mean", "0,0,0,0"}, {"deviation", "1,1,1,0"}}, "deviation[3] is 0");
  const Passport means = read(own_latent(), {{"shift", ""}, {"mean", "0,0.5,-1e-2,0"}, {"deviation", "1,1,2.5,1"}});
  CHECK(means.space.mean == std::vector<double>{0, 0.5, -0.01, 0});
  CHECK(means.space.deviation == std::vector<double>{1, 1, 2.5, 1});
}

TEST_CASE("numbers are JSON's, within their limits") {
  for (const std::string text : {"x", "1 ", " 1", "1,0", "0x1", "nan", "inf", "-inf", "1e999", "+1", ".5", "1.", "01",
                                 "0", "-1", "1e7", "\"1\"", "null", "[1]"}) {
    check_refused(own_latent(), {{"scale", text}}, "scale is");
  }
  CHECK(read(own_latent(), {{"scale", "0.182150"}}).space.scale == 0.18215);
  CHECK(read(own_latent(), {{"scale", "1.8215e-1"}}).space.scale == 0.18215);
  CHECK_FALSE(std::signbit(read(own_latent(), {{"shift", "-0.0"}}).space.shift));
  for (const std::string text : {"4.0", "4e0", "0", "-4", "1025", "99999999999999999999"}) {
    check_refused(own_latent(), {{"channels", text}}, "channels is");
  }
  check_refused(own_latent(), {{"channels", "5"}}, "a tensor of 4 channels");
  check_refused(own_latent(), {{"downscale", "257"}}, "downscale is");
  check_refused(own_latent(), {{"width", "8"}}, "width is not 16");
  check_refused(own_latent(), {{"height", "99999999999999999999"}}, "height is");
  check_refused(finished_latent(), {{"sigma", "-0.5"}}, "sigma is");
  check_refused(partial_latent(), {{"sigma", "1.5"}}, "sigma is");
  check_refused(partial_latent(), {{"step", "-1"}}, "step is");
  check_refused(partial_latent(), {{"draws", "2147483648"}}, "draws is");
  CHECK(read(partial_latent(), {{"sigma", "14.5"}, {"path", "variance_exploding"}}).sigma == 14.5);
}

TEST_CASE("words are those of the grammar") {
  check_refused(finished_latent(), {{"units", "VAE"}}, "Did you mean \"vae\"?");
  check_refused(partial_latent(), {{"path", "cosine"}}, "\"variance_exploding\", \"flow\"");
  check_refused(partial_latent(), {{"units", "vae"}}, "noise has no VAE values");
  check_refused(own_latent(), {{"space", "a:b"}}, "expected one word");
  check_refused(own_latent(), {{"lineage", "two words"}}, "expected one word");
  check_refused(own_latent(), {{"lineage", "\x1b[31m"}}, "expected one word");
  check_refused(own_latent(), {{"lineage", std::string(65, 'a')}}, "expected one word");
  CHECK(read(own_latent(), {{"lineage", "größe:2"}}).space.lineage == "größe:2");
  check_refused(finished_latent(), {{"vae_sha256", std::string(63, 'a')}}, "64 lower-case");
  check_refused(finished_latent(), {{"vae_sha256", std::string(64, 'A')}}, "64 lower-case");
}

TEST_CASE("job and history are JSON of the right kind") {
  const LatentDocument document = finished_latent();
  check_refused(document, {{"job", "[]"}}, "job: the document is a list");
  check_refused(document, {{"job", "{"}}, "job is no JSON");
  check_refused(document, {{"job", R"({"a":1,"a":2})"}}, "has the key \"a\" twice");
  check_refused(document, {{"job", std::string(100'000, '[')}}, "nested too deeply");
  CHECK(read(document, {{"job", R"( { "a" : 1 } )"}}).job == R"( { "a" : 1 } )");
  const auto entry = [](const std::string& rest) { return R"([{"route":"r","from":"a","to":"b",)" + rest + "}]"; };
  CHECK(read(document, {{"history", "[]"}}).history.empty());
  CHECK(read(document, {{"history", entry(R"("size":[8,16])")}}).history ==
        std::vector<Transcode>{{"r", "a", "b", {8, 16}, {}}});
  const Passport equal = read(document, {{"history", entry(R"("size":[8,16],"psnr":"infinite")")}});
  CHECK(equal.history.front().psnr == std::numeric_limits<double>::infinity());
  LatentDocument again = document;
  again.passport = equal;
  CHECK(read(again, {{"x-a", "1"}}) == equal);
  check_refused(document, {{"history", "{}"}}, "expected a list");
  check_refused(document, {{"history", "[1]"}}, "[0] is 1, expected an object");
  check_refused(document, {{"history", entry(R"("size":[8])")}}, "[0].size has not two numbers");
  check_refused(document, {{"history", entry(R"("size":[8,0])")}}, "[0].size[1] is 0");
  check_refused(document, {{"history", entry(R"("size":[8,8],"psnr":-1)")}}, "[0].psnr is -1");
  check_refused(document, {{"history", entry(R"("size":[8,8],"psnr":"high")")}}, "\"high\"");
  check_refused(document, {{"history", entry(R"("size":[8,8],"psn":1)")}}, "Did you mean \"psnr\"?");
  check_refused(document, {{"history", R"([{"route":"r"}])"}}, "lacks the key");
}

TEST_CASE("odd sides of a space that is packed are refused") {
  LatentDocument document = partial_latent();
  document.passport.shape = {1, 16, 1, 4};
  check_fails(ErrorKind::internal, {"4 x 1 cells", "multiples of 2"}, [&] { latent_bytes(document); });
  document.passport.space.id = "own";
  CHECK_NOTHROW(latent_bytes(document));
}

TEST_CASE("shapes beyond the limit are refused without overflow") {
  const Space space = core::parse_space("sd15");
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK_NOTHROW(check_latent_shape({250, 4, 1000, 1000}, space, "a"));
  for (const std::array<std::int64_t, 4>& shape :
       {std::array<std::int64_t, 4>{251, 4, 1000, 1000}, {huge, 4, huge, huge}, {1, 4, huge, 1}}) {
    check_fails(ErrorKind::input, {"1,000,000,000"}, [&] { check_latent_shape(shape, space, "a"); });
  }
}
