// Whether a latent can go where it is sent, by which route, and why. The one function that every command asks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// same: nothing to do. rescale: the same VAE's values by other numbers, exact arithmetic. repack: another layout of
/// them (a file form). re_encode: decoded by its own VAE, encoded by the target's. refuse: the numbers would turn into
/// garbage, or contradict each other.
enum class Verdict { same, rescale, repack, re_encode, refuse };

/// "same", "rescale", "repack", "re-encode", "refuse".
std::string_view verdict_name(Verdict verdict);

/// How a latent's numbers lie in its file: [B, C, h, w], or diffusers' tokens.
enum class Layout { plain, packed };

/// What a latent is sent to.
struct Destination {
  std::string name;  ///< of the model, the space or the file, as messages call it
  Space space;
  Units units = Units::model;
  Layout layout = Layout::plain;
  std::string vae_sha256;         ///< of its VAE; empty: it has none, or none that is known
  int size_multiple = 1;          ///< of its pictures' sides
  bool reads_unfinished = false;  ///< it goes on denoising (generate, refine), for which its path must be the latent's
  Path path = Path::variance_exploding;  ///< only read where it does
  std::optional<PixelSize> size = {};    ///< that the picture is to have; none: the latent's own
  /// Whether a digest that is not `vae_sha256` is its VAE's all the same, taken in another way. Asked where nothing but
  /// the digests differ; empty: it is not.
  std::function<bool(const std::string&)> has_vae = {};
};

/// What is at hand for a crossing.
struct Means {
  bool own_decoder = false;     ///< the VAE decoder of the latent's own space and digest
  bool target_encoder = false;  ///< the VAE encoder of the destination
  bool may_convert = true;      ///< false: --no-convert, or a command that never crosses (decode)
};

/// The ruling and its reasons. `reason` names both sides with their numbers, in whole sentences; `advice` is what to
/// do, a command to type where there is one ("" where there is nothing to do); `steps` are the route, for people; calls
/// of VAEs are its cost.
struct Ruling {
  Verdict verdict = Verdict::refuse;
  std::string reason;
  std::string advice;
  std::vector<std::string> steps;
  int decodes = 0;  ///< calls of a VAE decoder, and of an encoder, a picture
  int encodes = 0;
  PixelSize size;  ///< of the picture, as the destination gets it; 0 x 0 where the latent does not say its own
};

/// Rules on the passport alone: no value is looked at. `file` is the latent's name, as messages call it, or "standard
/// input". Equality of spaces and lineage decides, never the count of channels; no lineage equals an empty one. A
/// digest that differs from the destination's in the same lineage is refused: one of the two VAEs is not what it was.
/// Unfinished latents pass where the destination denoises on in the same space and path, and are refused everywhere
/// else: noise is never translated. Another size of the picture takes a decode and an encode even within one space.
Ruling judge(const std::string& file, const Passport& latent, Layout layout, const Destination& destination,
             const Means& means);

/// Throws Error{incompatible} for a refusal: the reason on one line, the advice on the next.
void require(const Ruling& ruling);

}  // namespace lapis::core
