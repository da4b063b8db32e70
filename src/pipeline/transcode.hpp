// A latent's way into another space: done, measured, recorded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/verdict.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// What a model wants of a latent that is sent to it.
core::Destination destination_of(const Model& model);

/// How a crossing is done.
struct CrossingOptions {
  std::string tiling = "auto";
  std::optional<PixelSize> size = {};  ///< of the picture that is encoded; none: that of the latent
  bool measure = false;                ///< decode the result and compare
  /// Shift the picture's colours against the target VAE's drift, if that comes back nearer: measured, by one encode
  /// and two decodes more than a bare crossing takes.
  bool compensate = false;
};

/// What came out of one.
struct Crossed {
  io::LatentDocument document;  ///< in the target's space, model units, f32, with the crossing in its history
  std::vector<Image> pictures;  ///< as the latent's own VAE shows them, at the size asked for
  Timings timings;
  int compensated = 0;               ///< pictures whose colours were shifted, being nearer so
  std::optional<double> plain_psnr;  ///< of the same without compensation, where that was tried
};

/// Compares the files of both VAEs that a crossing may need with their recorded digests. Errors as of
/// `io::verify_parts`.
void verify_crossing(const Model& own, const Model& target);

/// Decodes with `own`, resizes by Lanczos if asked, encodes with `target`, all on `engine`, which is left with `target`
/// in use. The files must have been verified. Errors as of `Engine::decode` and `Engine::encode`.
Crossed cross(const io::LatentDocument& document, const Model& own, const Model& target, const CrossingOptions& options,
              Engine& engine);

/// Crosses with pictures that are decoded already, those of a latent with this passport: resizes and encodes them as
/// `cross` does. `engine` has `target` in use.
Crossed cross_pictures(std::vector<Image> pictures, const Passport& passport, const Model& target,
                       const CrossingOptions& options, Engine& engine);

/// Adds to the cost of a ruling what measuring and compensating take beside the crossing itself.
void count_measuring(const CrossingOptions& options, core::Ruling& ruling);

/// The same raw values by the numbers of another space, or in other units: exact arithmetic. A change of space is
/// recorded in the history.
io::LatentDocument rescaled(const io::LatentDocument& document, const Space& space, Units units);

/// The lineage whose colours show values of `space`. Throws Error{incompatible} where none are known; `file` is the
/// latent that is to be shown.
const core::LineageRow& colours_of(const std::string& file, const Space& space);

/// `latent`, finished, in model units of a space with the same raw values.
Latent in_space(Latent latent, const Space& space);

/// One line: "a.safetensors: sd15:tiny-sd15 -> sdxl:tiny-sdxl, decoded and encoded again at 128 x 128, PSNR 31.2 dB".
std::string announcement(const std::string& file, const Crossing& crossing);

/// One line of the last crossing of `crossed`, with what compensation did.
std::string announcement(const std::string& file, const Crossed& crossed);

}  // namespace lapis::pipeline
