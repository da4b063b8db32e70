// A latent in memory, and the passport it travels with.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lapis/job.hpp"
#include "lapis/sampling.hpp"
#include "lapis/space.hpp"

namespace lapis {

/// Values in model units, x = alpha x0 + sigma n on `path` (`Path` says what alpha is), row-major [B, C, h, w].
/// A run that was stopped can be resumed to the bit: what its sampler remembers and how often its noise was drawn lie
/// beside the values.
struct Latent {
  Space space;
  std::array<std::int64_t, 4> shape{};
  std::vector<float> values;
  double sigma = 0;  ///< of `path`; 0 is a finished latent, for which nothing below is set
  Path path = Path::variance_exploding;
  int step = 0;                                 ///< steps done
  int draws = 0;                                ///< times that each picture's generator has drawn noise of this shape
  std::vector<std::vector<float>> memory = {};  ///< what the sampler remembers, each as large as `values`
};

/// What a file's numbers are: the model's (v - shift) * scale, or the raw values v of the VAE.
enum class Units { model, vae };

/// Element types that latents are kept in.
enum class LatentDtype { f32, f16, bf16 };

/// One event of a latent's past that changed its space.
struct Transcode {
  std::string route;           ///< "re-encode"
  std::string from;            ///< the space before, ID:LINEAGE: "sd15:tiny-sd15"; the ID alone where both are one
  std::string to;              ///< the space after
  PixelSize size;              ///< of the picture in between
  std::optional<double> psnr;  ///< dB, the picture decoded before it against the one after; none: not measured

  bool operator==(const Transcode&) const = default;
};

/// What a latent says of itself (docs/latent-format.md). Not every latent says everything: an empty text and a size of
/// 0 mean that it does not.
struct Passport {
  Space space;
  Units units = Units::model;
  LatentDtype dtype = LatentDtype::f32;
  std::array<std::int64_t, 4> shape{};  ///< [B, C, h, w]
  double sigma = 0;                     ///< 0: finished
  Path path = Path::variance_exploding;
  int step = 0;            ///< of a partially denoised latent, as in `Latent`
  int draws = 0;           ///< of a partially denoised latent, as in `Latent`
  std::string vae_sha256;  ///< digest of the VAE it comes from (docs/latent-format.md says of what)
  std::string job;         ///< JSON: the settings that made it, as a PNG of lapis holds them
  std::vector<Transcode> history;

  bool operator==(const Passport&) const = default;
};

/// A latent as its file has it: numbers in the units and of the precision that the passport says, so that they go out
/// again bit for bit.
struct LatentDocument {
  Passport passport;
  std::vector<float> values;                      ///< row-major [B, C, h, w]; f16 and bf16 widened
  std::vector<std::vector<float>> memory;         ///< of a partially denoised one: what its sampler remembers, f32
  std::map<std::string, std::string> extra = {};  ///< metadata of other programs, which are carried along: keys "x-..."

  bool operator==(const LatentDocument&) const = default;
};

}  // namespace lapis
