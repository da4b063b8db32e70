// What lapis says of latents in JSON: the result lines of decode, encode and convert, what inspect --measure found, and
// the settings that a decoded PNG carries. docs/cli.md describes every document.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/latent/latent_formats.hpp"
#include "io/picture/png.hpp"
#include "io/report/report.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// How a picture came out of a latent.
struct Decoding {
  int index = 0;        ///< of the latent's batch
  std::string vae;      ///< name of the model whose VAE decoded it; empty: a preview, without any
  Space vae_space;      ///< the space of that VAE
  bool forced = false;  ///< the latent's numbers were taken as if they were of that space
};

/// The texts of a decoded PNG: those that `generate` writes, out of the job that the latent records; then, where there
/// is such a thing, its history, and both spaces of a forced decoding. A latent without a job gives no "parameters".
PngText decoded_text(const Passport& passport, const Decoding& decoding);

/// What a latent's job says of one setting ("seed", "vae_tiling"), where it says anything; a number is none below 0.
std::optional<std::uint64_t> recorded_number(const Passport& passport, const std::string& key);
std::optional<std::string> recorded_text(const Passport& passport, const std::string& key);

/// The job that a latent of pictures records, as a document like a PNG's: each picture by its sha256, with commas
/// between.
std::string encoding_job(const std::vector<std::string>& pictures, PixelSize size, const std::string& fit,
                         std::optional<std::uint64_t> seed, const Model& model);

/// One picture that was decoded.
struct DecodedReport {
  std::string path;
  std::string sha256;         ///< of the PNG file
  std::string pixels_sha256;  ///< `io::pixels_sha256`
  std::string latent;         ///< name of its file
  Passport passport;
  Decoding decoding;
  PixelSize size;
  std::vector<std::string> notes;
  RunTimings timings;
};

std::string decoded_line(const DecodedReport& report);

/// One latent that was written.
struct LatentReport {
  std::string path;
  std::string sha256;  ///< of the file
  LatentFormat format = LatentFormat::lapis;
  Passport passport;                  ///< as it was written
  std::string model;                  ///< whose VAE encoded it; empty where none did
  std::vector<std::string> pictures;  ///< that were encoded, by their sha256
  std::string from;                   ///< the space that a converted one came from; empty for others, as is the route
  std::string route;
  PixelSize size;                    ///< of the picture it shows
  std::optional<double> psnr;        ///< dB of the transcode; none where nothing was encoded
  int compensated = 0;               ///< pictures whose colours were shifted
  std::optional<double> plain_psnr;  ///< dB of the transcode without that, where it was tried
  std::vector<std::string> notes;
  RunTimings timings;
};

std::string latent_file_line(const LatentReport& report);

/// A picture on its way through a VAE and back.
struct Drift {
  std::string picture;
  PixelSize size;
  double psnr = 0;                ///< dB
  std::array<double, 3> shift{};  ///< of the mean of red, green and blue, in levels
  double clipped = 0;             ///< share of samples that came to 0 or 255 without having been there
};

std::string drift_report(const Model& model, const std::vector<Drift>& drifts);

}  // namespace lapis::io
