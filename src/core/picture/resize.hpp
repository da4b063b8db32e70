// Pictures in other sizes, to the bit as Pillow makes them.
#pragma once

#include <optional>

#include "core/picture/pixels.hpp"

namespace lapis::core {

/// The kernels of Pillow's Image.resize, with their supports 0.5, 1, 2 and 3.
enum class Filter { box, bilinear, bicubic, lanczos };

/// A part of a picture, in pixels from its top left corner. A side of no length stands for the line it lies on.
struct Box {
  double left;
  double top;
  double right;
  double bottom;
};

/// `box` of `pixels` (all of it where none is given) at a new size: a convolution along the rows, rounded to 8 bit,
/// then one along the columns; columns first where they lose more than twice as many samples as the rows. When a
/// picture shrinks the kernel grows with it. Equal to Pillow 13's Image.resize((width, height), filter, box) in every
/// sample: coefficients are rounded to 22 bits and each sum to the nearest (Pillow's src/libImaging/Resample.c).
/// Earlier Pillows never take the columns first, which can change a sample by a level. An alpha channel is treated as a
/// colour; flatten first.
Pixels resized(const Pixels& pixels, int width, int height, Filter filter,
               const std::optional<Box>& box = std::nullopt);

}  // namespace lapis::core
