// A latent's way into another space, for every command that may have to take it: ruled, announced, done, recorded.
#pragma once

#include <optional>
#include <string>

#include "core/verdict.hpp"
#include "io/latent_file.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"

namespace lapis::cli {

/// The known model whose VAE a latent comes from: its space and lineage, and its digest where the latent has one.
/// `named` is a name or folder that the user gave instead (--from); it is not asked whether it fits: `judge` does.
/// None where no such model is known.
std::optional<Model> own_model(const Passport& passport, const std::optional<std::string>& named);

/// What a model wants of a latent that is sent to it.
core::Destination destination_of(const Model& model);

/// How a crossing is done.
struct CrossingOptions {
  std::string tiling = "auto";
  std::optional<PixelSize> size;  ///< of the picture that is encoded; none: that of the latent
  bool measure = false;           ///< decode the result and compare
  bool compensate = false;        ///< shift the picture's colours against the target VAE's drift, if that is nearer
};

/// What came out of one.
struct Crossed {
  io::LatentDocument document;  ///< in the target's space, with the crossing in its history
  std::vector<Image> pictures;  ///< as the latent's own VAE shows them, at the size asked for
  Timings timings;
};

/// Decodes with `own`, resizes by Lanczos if asked, encodes with `target`, in one process: two engines of one library.
Crossed cross(const io::LatentDocument& document, const Model& own, const Model& target, const CrossingOptions& options,
              const EngineOptions& place);

/// One line: "a.safetensors: sd15:tiny-sd15 -> sdxl:tiny-sdxl, decoded and encoded again at 128 x 128, PSNR 31.2 dB".
std::string announcement(const std::string& file, const Crossing& crossing);

}  // namespace lapis::cli
