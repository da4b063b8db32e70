// FLIP: what a person sees who flips between two pictures in one place.
#pragma once

#include <vector>

#include "lapis/image.hpp"

namespace lapis::core {

/// What FLIP finds, pixel by pixel.
struct Flip {
  std::vector<float> errors;  ///< one a pixel, row by row: 0 for what nobody sees, 1 at most
  double mean = 0;
  int x = 0;  ///< of the largest error, the first of several
  int y = 0;
};

/// FLIP of 8-bit sRGB pictures (LDR; Andersson, Nilsson, Akenine-Moller, Oskarsson, Astrom, Fairchild 2020, "FLIP: A
/// Difference Evaluator for Alternating Images"), `reference` against `test`, for their viewer: 0.7 m before a screen
/// of 3840 pixels in 0.7 m, 67.02 pixels a degree. Which of the two is the reference makes no difference. Equal to
/// flip-evaluator 1.7 within 1e-4 of the mean. Both are of one size and not empty.
Flip flip(const Image& reference, const Image& test);

}  // namespace lapis::core
