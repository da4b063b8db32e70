#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"
#include "picture_file.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/start_picture.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

/// A PNM picture of one colour, as a file that was read already.
PictureBytes grey_picture(int width, int height) {
  const std::string head = "P6\n" + std::to_string(width) + " " + std::to_string(height) + "\n255\n";
  const std::string text = head + std::string(static_cast<std::size_t>(width * height * 3), '\x80');
  PictureBytes picture{"grey.ppm", {}};
  for (const char c : text) picture.bytes.push_back(static_cast<std::byte>(c));
  return picture;
}

Job picture_job_of(const std::string& image) {
  Job job;
  job.image = image;
  job.strength = 1;
  return job;
}

}  // namespace

TEST_CASE("a picture gives the job its size, and its digest in place of its name") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  Job job = picture_job_of("grey.ppm");
  const StartPicture start = read_start_picture(job, model, grey_picture(96, 64));
  CHECK(job.width == 96);
  CHECK(job.height == 64);
  REQUIRE(job.image);
  CHECK(job.image->starts_with("sha256:"));
  const FittedPicture picture = fitted(start, core::resolve(job, model, 1), model.space.downscale);
  CHECK(picture.image.width == 96);
  CHECK(picture.image.rgb == std::vector<std::uint8_t>(96 * 64 * 3, 0x80));
  CHECK_FALSE(picture.mask);
  CHECK(picture.notes.empty());
}

TEST_CASE("a picture of another size is scaled, and a note says how") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  Job job = picture_job_of("grey.ppm");
  job.width = 64;
  job.height = 64;
  const StartPicture start = read_start_picture(job, model, grey_picture(96, 64));
  const FittedPicture picture = fitted(start, core::resolve(job, model, 1), model.space.downscale);
  CHECK(picture.image.width == 64);
  REQUIRE(picture.notes.size() == 1);
  CHECK(core::plain(picture.notes.front()) ==
        "grey.ppm is 96 x 64 pixels: stretched (fit crop and pad keep its shape) to 64 x 64");
}

TEST_CASE("a mask is of the picture's size, and lets something be drawn") {
  const test::PictureFile white("lapis-mask-white.ppm", 96, 64, '\xff');
  const test::PictureFile black("lapis-mask-black.ppm", 96, 64, '\0');
  const test::PictureFile small("lapis-mask-small.ppm", 64, 64, '\xff');
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  const auto drawn = [&](const test::PictureFile& mask) {
    Job job = picture_job_of("grey.ppm");
    job.mask = mask.path();
    const StartPicture start = read_start_picture(job, model, grey_picture(96, 64));
    CHECK(job.mask->starts_with("sha256:"));
    return fitted(start, core::resolve(job, model, 1), model.space.downscale);
  };
  CHECK(drawn(white).mask);
  CHECK_THROWS_WITH(drawn(black), Catch::Contains(black.path() + " lets nothing be drawn: it is all black."));
  CHECK_THROWS_WITH(drawn(small), Catch::Contains("is 64 x 64 pixels and grey.ppm is 96 x 64."));
}

TEST_CASE("what is no picture is refused before anything else is read") {
  ModelCatalog catalog;
  Job job = picture_job_of("text.txt");
  const PictureBytes text{"text.txt", std::vector<std::byte>(100, std::byte{'a'})};
  CHECK_THROWS_AS(read_start_picture(job, catalog.open("tiny-sd15"), text), Error);
}
