// Whether a latent can go where it is sent, by which steps, and why not. The one function that every command asks.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/latent/route.hpp"
#include "core/latent/units.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// The latent that a route begins with.
struct RouteSource {
  std::string name;  ///< of its file, as messages call it, or "standard input"
  Passport passport;
  Layout layout = Layout::plain;
  std::optional<Space> decoder_space = {};  ///< that its VAE decoder reads, of the same raw values; none: its own
};

/// What a route leads to.
struct RouteTarget {
  std::string name;  ///< of the model, the space or the file, as messages call it
  Space space;
  std::optional<Units> units = Units::model;  ///< none: those that the latent comes in
  Layout layout = Layout::plain;
  std::string vae_sha256;  ///< of its VAE; empty: it has none, or none that is known
  int size_multiple = 1;   ///< of its pictures' sides
  bool resumes = false;    ///< it goes on denoising (generate, refine), for which its path must be the latent's
  Path path = Path::variance_exploding;  ///< only read where it does
  std::optional<PixelSize> size = {};    ///< that the picture is to have; none: the latent's own
  /// Whether a digest that is not `vae_sha256` is its VAE's all the same, taken in another way. Asked where nothing but
  /// the digests differ; empty: it is not.
  std::function<bool(const std::string&)> has_vae = {};
  std::optional<Space> encoder_space = {};  ///< that its VAE encoder writes, of the same raw values; none: `space`
};

/// Which halves of VAEs there are.
struct Available {
  bool own_decoder = false;     ///< of the latent's own space and digest
  bool target_encoder = false;  ///< of the target
  bool target_decoder = true;   ///< of the target: every model has one
};

/// What is allowed on the way, and asked of it.
struct RouteOptions {
  bool may_convert = true;  ///< false: --no-convert, or a command that never transcodes (decode)
  bool measure = false;     ///< decode what was encoded, and compare
  bool compensate = false;  ///< measure, and shift the picture's colours against the VAE's drift where that is nearer
};

/// Plans from the passport alone: no value is looked at. Equality of spaces and lineage decides, never the count of
/// channels; no lineage equals an empty one. A digest that differs from the target's in the same lineage is refused:
/// one of the two VAEs is not what it was. Partially denoised latents pass where the target denoises on in the same
/// space and path, and are refused everywhere else: noise is never translated. Another size of the picture takes a
/// decode and an encode even within one space.
Route plan_route(const RouteSource& source, const RouteTarget& target, const Available& available,
                 const RouteOptions& options = {});

}  // namespace lapis::core
