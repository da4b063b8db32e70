#include <catch2/catch.hpp>
#include <cmath>

#include "../pattern.hpp"
#include "core/picture/matrix.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/similarity.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

Space space_of(int channels, int downscale) {
  Space space;
  space.id = "sd15";
  space.lineage = "mine";
  space.channels = channels;
  space.downscale = downscale;
  return space;
}

Image picture(int width, int height) { return rgb_image(test::pattern(width, height, 3)); }

Image shifted(Image image, int by) {
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>((value + by) % 256);
  return image;
}

/// Two latents; the second has more channels than the first's decoder.
Matrix sample() {
  Matrix matrix;
  matrix.latents = {{"a.safetensors", false, "one", "", space_of(4, 8), picture(32, 32)},
                    {"two", true, "two", "", space_of(16, 8), picture(32, 32)}};
  matrix.cells.resize(4);
  MatrixCell& first = matrix.cell(0, 1);
  first.forced = compared(shifted(picture(32, 32), 90), picture(32, 32));
  first.converted = compared(picture(32, 32), picture(32, 32));
  MatrixCell& second = matrix.cell(1, 0);
  second.refusal = *forcing_refusal(space_of(16, 8), space_of(4, 8));
  second.converted = compared(shifted(picture(32, 32), 1), picture(32, 32));
  return matrix;
}

}  // namespace

TEST_CASE("only numbers of as many channels and as large cells are forced") {
  CHECK_FALSE(forcing_refusal(space_of(4, 8), space_of(4, 8)));
  CHECK(forcing_refusal(space_of(16, 8), space_of(4, 8)) == "cannot be decoded: 16 channels into a decoder of 4");
  CHECK(forcing_refusal(space_of(4, 8), space_of(16, 8)) == "cannot be decoded: 4 channels into a decoder of 16");
  CHECK(forcing_refusal(space_of(4, 8), space_of(4, 16)) ==
        "cannot be compared: cells of 8 pixels into a decoder of 16");
}

TEST_CASE("a picture is compared with the right one, as far as it is large enough") {
  const Image right = picture(32, 16);
  const Image other = shifted(right, 3);
  const MatrixPicture found = compared(other, right);
  CHECK(found.image.rgb == other.rgb);
  CHECK(found.psnr == psnr(other, right));
  CHECK(found.ssim == ssim(other, right));
  CHECK(std::isinf(compared(right, right).psnr));
  CHECK_FALSE(compared(picture(32, 8), picture(32, 8)).ssim);
}

TEST_CASE("numbers are said in few digits") {
  CHECK(ssim_text(0.97149) == "0.971");
  CHECK(ssim_text(std::nullopt) == "-");
}

TEST_CASE("the sheet has a framed right picture on its diagonal and two tiles elsewhere") {
  const Matrix matrix = sample();
  const Sheet sheet = sheet_of(matrix);
  REQUIRE(sheet.cells.size() == 4);
  CHECK(sheet.rows[1][0] == "two");
  CHECK(sheet.rows[0][0] == "a.safetensors");
  CHECK(sheet.rows[0][1] == "sd15:mine");
  CHECK(sheet.columns[0][0] == "decoder of one");
  CHECK(sheet.cells[0].marked);
  CHECK(sheet.cells[3].marked);
  CHECK(sheet.cells[0].tiles.size() == 1);
  REQUIRE(sheet.cells[1].tiles.size() == 2);
  CHECK_FALSE(sheet.cells[1].marked);
  CHECK(sheet.cells[1].tiles[0].caption[0].text == "forced");
  CHECK(sheet.cells[1].tiles[1].caption[1].text == "equal");
  REQUIRE(sheet.cells[2].tiles.size() == 2);
  CHECK_FALSE(sheet.cells[2].tiles[0].picture);
  CHECK(sheet.cells[2].tiles[0].text == "cannot be decoded: 16 channels into a decoder of 4");
  CHECK(sheet.cells[2].tiles[1].caption[2].text == "SSIM " + ssim_text(matrix.cell(1, 0).converted->ssim));
  CHECK(drawn(sheet).width > 4 * 128);
}

TEST_CASE("the sheet says prompt and seed where a model rendered") {
  Matrix matrix = sample();
  CHECK(sheet_of(matrix).notes.size() == 1);
  matrix.prompt = "a house";
  matrix.seed = 9;
  CHECK(sheet_of(matrix).notes[0] == "\"a house\", seed 9");
}
