// Latents of several spaces through the VAEs of all of them: what `lapis matrix` finds out, and how its sheet shows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/picture/sheet.hpp"
#include "lapis/image.hpp"
#include "lapis/latent.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// A picture that came out of a decoder, and how near it is to what its latent shows.
struct MatrixPicture {
  Image image;
  double psnr = 0;             ///< dB; infinite for equal pictures
  std::optional<double> ssim;  ///< none where a side is shorter than the 11 pixels that it takes
};

/// One latent and the decoder it belongs to: a row of the matrix, and a column.
struct MatrixLatent {
  std::string name;       ///< of its file, or of the model that rendered it
  bool rendered = false;  ///< by a model, from a prompt
  std::string model;      ///< whose VAE it comes from
  std::string vae_sha256;
  Space space;
  Image right;  ///< as that VAE shows it
};

/// A latent through the decoder of another one.
struct MatrixCell {
  std::optional<MatrixPicture> forced;  ///< its numbers as they are; none where `refusal` says why
  std::string refusal;
  std::optional<MatrixPicture> converted;  ///< carried into the decoder's space first; there off the diagonal
  Transcode transcode;                     ///< how `converted` came into the decoder's space
};

/// `cells` are latents x latents, row by row; those of the diagonal stay empty.
struct Matrix {
  std::vector<MatrixLatent> latents;
  std::vector<MatrixCell> cells;
  std::string command;                ///< the command line that made it, as typed
  std::optional<std::string> prompt;  ///< of the latents that models rendered; none where none was
  std::optional<std::uint64_t> seed;  ///< of the latents that models rendered; none where none was

  const MatrixCell& cell(std::size_t row, std::size_t column) const { return cells[row * latents.size() + column]; }
  MatrixCell& cell(std::size_t row, std::size_t column) { return cells[row * latents.size() + column]; }
};

/// Why numbers of `space` cannot be taken for those of `decoder`: "cannot be decoded: 16 channels into a decoder of 4";
/// none where they can.
std::optional<std::string> forcing_refusal(const Space& space, const Space& decoder);

/// `image` beside the `right` picture, of the same size.
MatrixPicture compared(Image image, const Image& right);

/// "0.971", "-" for none.
std::string ssim_text(const std::optional<double>& ssim);

/// The contact sheet: latents down, decoders across, the diagonal framed.
Sheet sheet_of(const Matrix& matrix);

}  // namespace lapis::core
