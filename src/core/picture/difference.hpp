// Pictures and latents against each other, value by value.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/picture/tolerance.hpp"
#include "lapis/image.hpp"

namespace lapis::core {

/// A picture as it is compared: laid over white, and what was transparent beside it.
struct ComparedPicture {
  Image image;
  std::vector<std::uint8_t> alpha;  ///< one a pixel; none where the picture is opaque
};

/// How far two pictures are apart; values are counted for the levels of `tolerance`. Where one has alpha, that is a
/// fourth value of each pixel. Both are of one size and not empty.
Difference difference_of(const ComparedPicture& a, const ComparedPicture& b, const Tolerance& tolerance);

/// How far two latents of one `shape` are apart. Every value is finite.
Difference difference_of(std::span<const float> a, std::span<const float> b, const std::array<std::int64_t, 4>& shape,
                         const Tolerance& tolerance);

/// Both pictures and their difference beside each other, each below its caption: of every pixel the value that differs
/// most, times a whole number that brings the largest near 255, from black by red to white. A frame is around the worst
/// pixel. Small pictures are enlarged. Of pictures of two sizes there is no third.
Image drawn_difference(const ComparedPicture& a, const ComparedPicture& b, const std::string& name_a,
                       const std::string& name_b);

/// Of two latents of one `shape` how far each channel differs, in the picture of the batch where `difference`, theirs,
/// is largest: a panel for each channel, four in a row, from black by red to white, which is the largest difference. A
/// frame is around the worst value.
Image drawn_difference(std::span<const float> a, std::span<const float> b, const std::array<std::int64_t, 4>& shape,
                       const Difference& difference);

/// How far each value of two pictures of one size differs, `factor` times, cut at 255.
Image amplified_difference(const Image& a, const Image& b, int factor);

}  // namespace lapis::core
