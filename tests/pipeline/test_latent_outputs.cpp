#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "../io/support.hpp"
#include "latents.hpp"
#include "picture_file.hpp"
#include "pipeline/latent_outputs.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using test::PictureFile;

TEST_CASE("latents of pictures are named before any is read") {
  CHECK(name_encode_outputs("", "", {"x/a.png", "b.jpg"}).latents[1].path == "b.safetensors");
  const EncodeOutputs one = name_encode_outputs("a.latent", "", {"a.png", "b.png"});
  CHECK(one.is_one());
  CHECK(one.format == io::LatentFormat::comfy);
  CHECK(name_encode_outputs("", "comfy", {"a.png"}).latents[0].path == "a.latent");
  CHECK(name_encode_outputs("/dev/stdout", "npy", {"a.png"}).latents[0].path == "-");
  check_fails(ErrorKind::usage, {"output a.png: this command writes a latent"},
              [] { name_encode_outputs("a.png", "", {"a.png"}); });
  check_fails(ErrorKind::usage, {"comfy-old"}, [] { name_encode_outputs("", "comfy-old", {"a.png"}); });
}

TEST_CASE("pictures whose latents stay are not encoded, and the others are written with a report") {
  const PictureFile first("lapis-outputs-1.ppm", 64, 64);
  const PictureFile second("lapis-outputs-2.ppm", 64, 64);
  const io::test::TemporaryFolder folder;
  io::test::write_text(folder / "0.safetensors", "mine");
  Outlet outlet;
  outlet.policy.skip_existing = true;
  outlet.reports = true;
  ModelCatalog catalog;
  EncodeAsked asked;
  asked.pictures = {first.path(), second.path()};
  asked.job.model = "tiny-sd15";
  EncodeOutputs outputs = name_encode_outputs((folder / "{index}.safetensors").string(), "", asked.pictures);
  EncodePlan plan = plan_encode(asked, catalog);
  plan_encode_outputs(outputs, plan, outlet, {});
  REQUIRE(plan.pictures.size() == 1);
  CHECK(plan.pictures.front().index == 1);
  test::RecordingEngine engine;
  EngineDoor door(engine);
  std::vector<Written> written;
  encode(plan, door, {},
         [&](const EncodedPictures& encoded) { written.push_back(save(encoded, plan, outputs, outlet)); });
  REQUIRE(written.size() == 1);
  CHECK(written.front().path == (folder / "1.safetensors").string());
  CHECK_THAT(written.front().line, Catch::Contains("\"model\":\"tiny-sd15\""));
  CHECK(io::test::read_text(folder / "0.safetensors") == "mine");
}

TEST_CASE("a converted latent is called by what it was and what it becomes") {
  const auto path_of = [](const std::string& latent, std::string ConvertWords::*word, const std::string& value) {
    ConvertWords words;
    words.latent = latent;
    words.*word = value;
    ConvertPlan plan;
    plan.format = convert_asked(words).format;
    return plan_convert_output(words, plan, {}, {}).path;
  };
  CHECK(path_of("x/a.npy", &ConvertWords::to, "models/tiny-sdxl") == "a-tiny-sdxl.safetensors");
  CHECK(path_of("-", &ConvertWords::to, "sd15:tiny-sd15") == "latent-sd15-tiny-sd15.safetensors");
  CHECK(path_of("a", &ConvertWords::format, "comfy") == "a-comfy.latent");
  CHECK(path_of("a", &ConvertWords::units, "vae") == "a-vae.safetensors");
  CHECK(path_of("a", &ConvertWords::output, "/dev/stdout") == "-");
  CHECK(path_of("a", &ConvertWords::output, "./") == "./a.safetensors");
  CHECK(path_of("a", &ConvertWords::to, "models/tiny-sdxl/") == "a-tiny-sdxl.safetensors");
}

TEST_CASE("a converted latent is written with its route in the report") {
  const io::test::TemporaryFolder folder;
  ModelCatalog catalog;
  ConvertWords words;
  words.output = (folder / "b.safetensors").string();
  words.units = "vae";
  ConvertAsked asked = convert_asked(words);
  asked.latent = test::latent_of(catalog.open("tiny-sd15"));
  ConvertPlan plan = plan_convert(std::move(asked), catalog);
  Outlet outlet;
  outlet.reports = true;
  const Output output = plan_convert_output(words, plan, outlet, {});
  EngineDoor door({"cpu", "fp32", 1});  // which stays closed
  const Written written = save(convert(plan, door, {}), plan, output, outlet);
  CHECK(written.path == words.output);
  CHECK_THAT(written.line, Catch::Contains("\"route\":\"rescale\"") && Catch::Contains("\"from\":\"sd15:tiny-sd15\""));
  check_fails(ErrorKind::output, {"exists already"}, [&] { plan_convert_output(words, plan, outlet, {}); });
}
