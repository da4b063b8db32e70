#include "core/picture/matrix.hpp"

#include <algorithm>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/picture/similarity.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

constexpr Colour right_colour = {58, 96, 150};
constexpr Colour forced_colour = {172, 52, 38};
constexpr Colour converted_colour = {30, 118, 66};
constexpr Colour number_colour = {72, 76, 87};

SheetTile picture_tile(const std::string& name, Colour colour, const MatrixPicture& picture) {
  return {picture.image,
          "",
          {{name, colour},
           {psnr_text(picture.psnr), number_colour},
           {sentence("SSIM {}", ssim_text(picture.ssim)), number_colour}}};
}

SheetCell transcode_cell(const MatrixCell& cell) {
  SheetCell shown;
  if (cell.forced) {
    shown.tiles.push_back(picture_tile("forced", forced_colour, *cell.forced));
  } else {
    shown.tiles.push_back({std::nullopt, cell.refusal, {{"forced", forced_colour}}});
  }
  if (cell.converted) shown.tiles.push_back(picture_tile("converted", converted_colour, *cell.converted));
  return shown;
}

}  // namespace

std::optional<std::string> forcing_refusal(const Space& space, const Space& decoder) {
  if (space.channels != decoder.channels) {
    return sentence("cannot be decoded: {} channels into a decoder of {}", space.channels, decoder.channels);
  }
  if (space.downscale != decoder.downscale) {
    return sentence("cannot be compared: cells of {} pixels into a decoder of {}", space.downscale, decoder.downscale);
  }
  return std::nullopt;
}

MatrixPicture compared(Image image, const Image& right) {
  MatrixPicture picture;
  picture.psnr = psnr(image, right);
  if (std::min(image.width, image.height) >= ssim_window) picture.ssim = ssim(image, right);
  picture.image = std::move(image);
  return picture;
}

std::string ssim_text(const std::optional<double>& ssim) { return ssim ? sentence("{:.3f}", *ssim) : "-"; }

Sheet sheet_of(const Matrix& matrix) {
  Sheet sheet;
  sheet.title = "Latents (rows) through decoders (columns)";
  if (matrix.prompt && matrix.seed) {
    sheet.notes.push_back(sentence("\"{}\", seed {}", *matrix.prompt, *matrix.seed));
  }
  sheet.notes.emplace_back(
      "framed: its own decoder; forced: the same numbers through another; converted: carried across "
      "first. Numbers compare with the framed picture.");
  for (const MatrixLatent& latent : matrix.latents) {
    sheet.columns.push_back({sentence("decoder of {}", latent.model)});
    sheet.rows.push_back({latent.name, space_name(latent.space), sentence("{} channels", latent.space.channels)});
  }
  const std::size_t count = matrix.latents.size();
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t column = 0; column < count; ++column) {
      if (row != column) {
        sheet.cells.push_back(transcode_cell(matrix.cell(row, column)));
        continue;
      }
      sheet.cells.push_back({{{matrix.latents[row].right, "", {{"right", right_colour}}}}, true});
    }
  }
  return sheet;
}

}  // namespace lapis::core
