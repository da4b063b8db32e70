#include "io/report/matrix_report.hpp"

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/family/spaces.hpp"
#include "io/file/json_text.hpp"
#include "io/report/json_parts.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value, double parts) { return std::round(value * parts) / parts; }

/// dB to the hundredth, as in a latent's history.
Json picture_json(const std::optional<core::MatrixPicture>& picture) {
  if (!picture) return {};
  Json json;
  json["psnr"] = psnr_json(rounded(picture->psnr, 100));
  json["ssim"] = picture->ssim ? Json(rounded(*picture->ssim, 10000)) : Json();
  return json;
}

Json latent_json(const core::MatrixLatent& latent) {
  return {{"latent", latent.name},
          {"rendered", latent.rendered},
          {"model", latent.model},
          {"space", core::space_name(latent.space)},
          {"channels", latent.space.channels},
          {"size", Json{latent.right.width, latent.right.height}},
          {"vae_sha256", text_or_null(latent.vae_sha256)}};
}

Json cell_json(const core::Matrix& matrix, std::size_t row, std::size_t column) {
  const core::MatrixCell& cell = matrix.cell(row, column);
  return {{"row", row},
          {"column", column},
          {"latent", matrix.latents[row].name},
          {"decoder", matrix.latents[column].model},
          {"right", row == column},
          {"forced", picture_json(cell.forced)},
          {"refusal", text_or_null(cell.refusal)},
          {"converted", picture_json(cell.converted)},
          {"route", text_or_null(cell.transcode.route)}};
}

}  // namespace

std::string matrix_report(const core::Matrix& matrix) {
  Json latents = Json::array();
  for (const core::MatrixLatent& latent : matrix.latents) latents.push_back(latent_json(latent));
  Json cells = Json::array();
  for (std::size_t row = 0; row < matrix.latents.size(); ++row) {
    for (std::size_t column = 0; column < matrix.latents.size(); ++column)
      cells.push_back(cell_json(matrix, row, column));
  }
  const Json json = {{"version", version},
                     {"command", matrix.command},
                     {"prompt", matrix.prompt ? Json(*matrix.prompt) : Json()},
                     {"seed", matrix.seed ? Json(*matrix.seed) : Json()},
                     {"latents", latents},
                     {"cells", cells}};
  return json_text(json);
}

}  // namespace lapis::io
