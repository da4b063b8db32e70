// The part of `inspect` that looks at latents.
#pragma once

#include "io/latent/latent_formats.hpp"

namespace lapis::cli {

/// Prints what a latent says of itself, its channels' statistics, the spaces its numbers fit where it does not say its
/// own, and with `preview` what it shows, as characters. Of a large one some rows are looked at, unless `measure`.
/// Returns the exit code.
int inspect_latent(const io::LatentSource& source, const io::LatentHints& hints, bool measure, bool preview, bool json);

}  // namespace lapis::cli
