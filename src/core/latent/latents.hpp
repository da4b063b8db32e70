// Latents of several pictures, taken together and apart.
#pragma once

#include <string>

#include "lapis/job.hpp"
#include "lapis/latent.hpp"

namespace lapis::core {

/// Lays the pictures of `more` behind those of `batch`, what samplers remember of them too. An empty `batch` becomes
/// `more`; else both are of one space, of one size, and equally far. A programmer's mistake is Error{internal}.
void append(Latent& batch, Latent more);

/// Picture `index` of a batch as a latent of its own: [1, C, h, w].
Latent picture_of(const Latent& batch, int index);

/// Size of the picture that a latent shows: 0 x 0 where its shape is not known.
PixelSize picture_size(const Passport& passport);

/// "64 x 48".
std::string size_text(PixelSize size);

}  // namespace lapis::core
