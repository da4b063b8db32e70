// Samples of pictures and masks, and the arithmetic on single ones: turning, flattening, grey.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "lapis/image.hpp"

namespace lapis::core {

/// 8-bit samples, rows from top to bottom without padding. 1 channel: grey; 2: grey and alpha; 3: RGB; 4: RGB and
/// alpha.
struct Pixels {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<std::uint8_t> bytes;  ///< width * height * channels

  bool operator==(const Pixels&) const = default;
};

/// Room for a picture of this size, all samples 0.
Pixels make_pixels(int width, int height, int channels);

/// The picture as it is to be seen, by the tag Orientation of Exif 2.3 (1 to 8; 1 is upright): mirrored for 2, 4, 5 and
/// 7, sides changed from 5 on.
Pixels upright(Pixels pixels, int orientation);

/// What `upright` does, for a message: "turned by 90 degrees".
std::string_view orientation_text(int orientation);

/// True if the picture has an alpha channel and it is not 255 everywhere.
bool has_holes(const Pixels& pixels);

/// Without its alpha channel: laid over a background whose samples are all `background`, each sample rounded as
/// Pillow's paste does. A picture without alpha is returned as it is.
Pixels flattened(Pixels pixels, std::uint8_t background);

/// One channel, L = (19595 R + 38470 G + 7471 B + 32768) / 65536 (ITU-R BT.601, as Pillow rounds it). No alpha.
Pixels grey(Pixels pixels);

/// Three channels. No alpha.
Image rgb_image(Pixels pixels);

/// `image` as samples, and back.
Pixels pixels_of(Image image);
Mask mask_of(Pixels pixels);

/// True if every value is 0 or 255.
bool is_hard(const Mask& mask);

/// `mask` with every value set to 0 or 255, whichever is nearer.
Mask hardened(Mask mask);

/// True if no latent cell would be inpainted: the engine reads the mask's value at the top left pixel of each cell of
/// `downscale` pixels a side, as diffusers does.
bool touches_no_cell(const Mask& mask, int downscale);

/// `drawn` where the mask is white and `original` where it is black, in between by its value. All of one size.
Image pasted(const Image& original, Image drawn, const Mask& mask);

}  // namespace lapis::core
