// A matrix of two latents, whose second has more channels than the first's decoder, for the tests of what is said of
// it.
#pragma once

#include <cstdint>
#include <string>

#include "../pattern.hpp"
#include "core/picture/matrix.hpp"
#include "core/picture/pixels.hpp"

namespace lapis::test {

inline Image picture(int width, int height, int shift = 0) {
  Image image = core::rgb_image(pattern(width, height, 3));
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>((value + shift) % 256);
  return image;
}

inline core::Matrix sample_matrix(const std::string& name = "a.safetensors", int side = 32) {
  const Space four{"sd15", 4, 8, 0.18215, 0, "mine"};
  const Space sixteen{"flux", 16, 8, 0.3611, 0.1159, "flux"};
  core::Matrix matrix;
  matrix.latents = {{name, false, "one", "cd34", four, picture(side, side)},
                    {"two", true, "two", "", sixteen, picture(side, side, 1)}};
  matrix.cells.resize(4);
  core::MatrixCell& first = matrix.cell(0, 1);
  first.forced = core::compared(picture(side, side, 90), picture(side, side));
  first.converted = core::compared(picture(side, side), picture(side, side));
  first.transcode.route = "re-encode";
  core::MatrixCell& second = matrix.cell(1, 0);
  second.refusal = *core::forcing_refusal(sixteen, four);
  second.converted = core::compared(picture(side, side, 3), picture(side, side, 1));
  second.transcode.route = "re-encode, compensated";
  matrix.command = "lapis matrix " + name + " two";
  return matrix;
}

}  // namespace lapis::test
