#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "lapis/error.hpp"
#include "picture_file.hpp"
#include "pipeline/encode.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using test::PictureFile;

namespace {

EncodeAsked asked_for(const std::vector<std::string>& pictures) {
  EncodeAsked asked;
  asked.pictures = pictures;
  asked.job.model = "tiny-sd15";
  return asked;
}

}  // namespace

TEST_CASE("each picture gets a latent of its own, or all share one of one size") {
  const PictureFile first("lapis-encode-1.ppm", 64, 64);
  const PictureFile second("lapis-encode-2.ppm", 64, 64);
  ModelCatalog catalog;
  test::RecordingEngine engine;
  EngineDoor door(engine);
  EncodeAsked asked = asked_for({first.path(), second.path()});
  std::vector<std::size_t> firsts;
  encode(plan_encode(asked, catalog), door, {}, [&](const EncodedPictures& encoded) {
    firsts.push_back(encoded.first);
    CHECK(encoded.document.passport.shape[0] == 1);
    CHECK(encoded.document.values.front() == 'd' - 3);
    CHECK(encoded.pictures.front().starts_with("sha256:"));
  });
  CHECK(firsts == std::vector<std::size_t>{0, 1});
  CHECK_FALSE(engine.seed);
  asked.one_latent = true;
  asked.job.seed = 7;
  int latents = 0;
  encode(plan_encode(asked, catalog), door, {}, [&](const EncodedPictures& encoded) {
    ++latents;
    CHECK(encoded.document.passport.shape[0] == 2);
  });
  CHECK(latents == 1);
  CHECK(engine.seed == 8);
}

TEST_CASE("pictures of two sizes share no latent") {
  const PictureFile small("lapis-encode-3.ppm", 64, 64);
  const PictureFile large("lapis-encode-4.ppm", 128, 64);
  ModelCatalog catalog;
  EncodeAsked asked = asked_for({small.path(), large.path()});
  CHECK_NOTHROW(plan_encode(asked, catalog));
  asked.one_latent = true;
  CHECK_THROWS_WITH(plan_encode(asked, catalog), Catch::Contains("one latent holds pictures of one size"));
}
