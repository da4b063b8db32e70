// What a picture's colours lose on their way through a VAE and back, and how to give it to them beforehand.
#pragma once

#include <array>

#include "lapis/image.hpp"

namespace lapis::core {

/// The drift of one channel: after = gain * before + offset, in levels of 8 bit.
struct ChannelDrift {
  double gain = 1;
  double offset = 0;
};

/// The drift of red, green and blue.
using ColourDrift = std::array<ChannelDrift, 3>;

/// The line through each channel's (before, after) of least squares. The gain is kept within 0.5 and 2 and is 1 for a
/// channel of one value. `before` and `after` are of one size.
ColourDrift colour_drift(const Image& before, const Image& after);

/// `picture` so that the drift brings it back to where it was, as far as 8 bits reach.
Image compensated(const Image& picture, const ColourDrift& drift);

/// How far the mean of each channel moved, in levels. `before` and `after` are of one size.
std::array<double, 3> mean_shift(const Image& before, const Image& after);

/// The share of samples, 0 to 1, that came to an end of the range (0 or 255) without having been there. `before` and
/// `after` are of one size.
double clipped_share(const Image& before, const Image& after);

}  // namespace lapis::core
