// A latent's pictures by the colours of its channels, without any VAE.
#pragma once

#include <string>

#include "core/family/spaces.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/image.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"

namespace lapis::pipeline {

/// The lineage whose colours show values of `space`. Throws Error{incompatible} where none are known; `file` is the
/// latent that is to be shown.
const core::LineageRow& preview_colours(const std::string& file, const Space& space);

/// The latent of `document` in the units that these colours are for (`core::preview`).
Latent preview_latent(const io::LatentDocument& document, const core::LineageRow& colours);

/// One picture of such a latent, at the size that its VAE would give it.
Image preview_picture(const Latent& latent, int index, const core::LineageRow& colours, PixelSize size);

}  // namespace lapis::pipeline
