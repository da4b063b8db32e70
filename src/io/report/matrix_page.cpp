#include <cstddef>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/picture/similarity.hpp"
#include "core/text/sentence.hpp"
#include "io/file/base64.hpp"
#include "io/file/text.hpp"
#include "io/picture/png.hpp"
#include "io/report/matrix_report.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

constexpr int longest_side = 512;

constexpr const char* style = R"(
:root{--ground:#f4f5f7;--card:#fff;--blank:#e6e8ec;--ink:#20232a;--pale:#5c6270;--line:#d5d8de;--right:#2f5c9a;
--forced:#ac3426;--converted:#1e7642}
@media(prefers-color-scheme:dark){:root{--ground:#15171c;--card:#1f2229;--blank:#2b2f38;--ink:#e6e8ec;--pale:#a2a8b5;
--line:#363b46;--right:#86b2f2;--forced:#f28b7d;--converted:#7fd09f}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:74rem;margin:auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .75rem}
h2{font-size:1.15rem;margin:2rem 0 .6rem}
h2 small{display:block;font-weight:400;font-size:.875rem;color:var(--pale)}
h3{font-size:.875rem;font-weight:600;margin:0 0 .5rem}
p{max-width:46rem;margin:.6rem 0}
.row{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
.cell{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem}
.cell.own{border-color:var(--right);box-shadow:inset 0 0 0 1px var(--right)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:.6rem}
figure{margin:0}
figure:only-child{grid-column:1/-1;width:calc(50% - .3rem);margin:0 auto}
img,.none{display:block;width:100%;height:auto;border-radius:.25rem}
.none{display:flex;align-items:center;justify-content:center;text-align:center;padding:.4rem;background:var(--blank);
color:var(--pale);font-size:.875rem;line-height:1.35}
figcaption{font-size:.875rem;line-height:1.4;margin-top:.4rem;font-variant-numeric:tabular-nums}
figcaption b{display:block}
.right{color:var(--right)}.forced{color:var(--forced)}.converted{color:var(--converted)}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem 1.2rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.refusal{color:var(--pale)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;font-size:.9rem}
dt{color:var(--pale)}dd{margin:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace;font-size:.9em}
p code{white-space:nowrap}
@media(max-width:32rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}
table{font-size:.8rem}th,td{padding-right:.6rem}}
)";

constexpr const char* explanation =
    "<p>A latent is a picture in the numbers of one VAE. Nothing in the numbers says which: a decoder of as many\n"
    "channels takes those of any other without an error, and shows garbage. That is why latents of lapis carry a\n"
    "passport.</p>\n"
    "<p>Each row is one latent, each column the decoder of one model. <b class=\"right\">Right</b> is the latent\n"
    "through the decoder that it comes from. <b class=\"forced\">Forced</b> is the same numbers through another one,\n"
    "which <code>lapis decode</code> refuses unless it is told <code>--force</code>, and which cannot even be tried "
    "where\n"
    "the counts of channels differ. <b class=\"converted\">Converted</b> is the latent carried across first, as\n"
    "<code>lapis convert</code> does: decoded by its own VAE, encoded by the other one and shown by that. PSNR and "
    "SSIM\n"
    "compare each picture with the right one of its row; more is nearer. What a conversion loses is what the other "
    "VAE\n"
    "cannot keep.</p>\n";

std::string size_attributes(const Image& picture) {
  return " width=\"" + std::to_string(picture.width) + "\" height=\"" + std::to_string(picture.height) + "\"";
}

std::string picture_html(const Image& picture, const std::string& alternative) {
  const Image shown = core::at_most(picture, longest_side);
  return "<img src=\"data:image/png;base64," + base64(encode_png(shown, {})) + "\" alt=\"" + escaped_html(alternative) +
         "\"" + size_attributes(shown) + ">";
}

std::string figure(const std::string& content, const std::string& kind, const std::string& numbers) {
  return "<figure>" + content + "<figcaption><b class=\"" + kind + "\">" + kind + "</b>" + numbers +
         "</figcaption></figure>\n";
}

std::string compared_figure(const core::MatrixPicture& picture, const std::string& kind, const std::string& what) {
  return figure(picture_html(picture.image, core::sentence("{}, {}", what, kind)), kind,
                "PSNR " + core::psnr_text(picture.psnr) + "<br>SSIM " + core::ssim_text(picture.ssim));
}

std::string cell_html(const core::Matrix& matrix, std::size_t row, std::size_t column) {
  const core::MatrixLatent& latent = matrix.latents[row];
  const core::MatrixCell& cell = matrix.cell(row, column);
  const std::string& decoder = matrix.latents[column].model;
  const std::string what = core::sentence("{} through the decoder of {}", latent.name, decoder);
  std::string html = std::string("<section class=\"cell") + (row == column ? " own" : "") + "\"><h3>decoder of " +
                     escaped_html(decoder) + "</h3><div class=\"pair\">\n";
  if (row == column) html += figure(picture_html(latent.right, what), "right", "");
  if (cell.forced) html += compared_figure(*cell.forced, "forced", what);
  if (!cell.refusal.empty()) {
    const std::string shape = std::to_string(latent.right.width) + "/" + std::to_string(latent.right.height);
    html += figure("<div class=\"none\" style=\"aspect-ratio:" + shape + "\">" + escaped_html(cell.refusal) + "</div>",
                   "forced", "");
  }
  if (cell.converted) html += compared_figure(*cell.converted, "converted", what);
  return html + "</div></section>\n";
}

std::string row_html(const core::Matrix& matrix, std::size_t row) {
  const core::MatrixLatent& latent = matrix.latents[row];
  std::string html =
      std::string("<h2>Latent ") + (latent.rendered ? "of " : "") + escaped_html(latent.name) + "<small>" +
      escaped_html(core::sentence("{} ({}), {} x {}", core::space_name(latent.space), core::space_numbers(latent.space),
                                  latent.right.width, latent.right.height)) +
      "</small></h2>\n<div class=\"row\">\n";
  for (std::size_t column = 0; column < matrix.latents.size(); ++column) html += cell_html(matrix, row, column);
  return html + "</div>\n";
}

std::string numbers_text(const core::MatrixPicture& picture) {
  return core::sentence("{}, {}", core::psnr_text(picture.psnr), core::ssim_text(picture.ssim));
}

std::string table_row(const core::Matrix& matrix, std::size_t row, std::size_t column) {
  const core::MatrixCell& cell = matrix.cell(row, column);
  const std::string forced = cell.forced ? "<td>" + numbers_text(*cell.forced) + "</td>"
                                         : "<td class=\"refusal\">" + escaped_html(cell.refusal) + "</td>";
  return "<tr><td>" + escaped_html(matrix.latents[row].name) + "</td><td>" +
         escaped_html(matrix.latents[column].model) + "</td>" + forced + "<td>" +
         (cell.converted ? numbers_text(*cell.converted) : "-") + "</td></tr>\n";
}

std::string table_html(const core::Matrix& matrix) {
  std::string html =
      "<h2>The numbers<small>PSNR, SSIM</small></h2>\n<div class=\"wide\"><table>\n<thead><tr><th>latent</th>"
      "<th>decoder</th><th>forced</th><th>converted</th></tr></thead>\n<tbody>\n";
  for (std::size_t row = 0; row < matrix.latents.size(); ++row) {
    for (std::size_t column = 0; column < matrix.latents.size(); ++column) {
      if (row != column) html += table_row(matrix, row, column);
    }
  }
  return html + "</tbody>\n</table></div>\n";
}

std::string entry(const std::string& term, const std::string& html) {
  return "<dt>" + term + "</dt><dd>" + html + "</dd>\n";
}

/// The section on how the matrix was made.
std::string making_html(const core::Matrix& matrix) {
  std::vector<std::string> models;
  for (const core::MatrixLatent& latent : matrix.latents) models.push_back(latent.model);
  std::string html = "<h2>How it was made</h2>\n<dl>\n";
  html += entry("command", "<code>" + escaped_html(matrix.command) + "</code>");
  if (matrix.prompt) html += entry("prompt", escaped_html(*matrix.prompt));
  if (matrix.seed) html += entry("seed", std::to_string(*matrix.seed));
  html += entry("models", escaped_html(core::joined(models)));
  html += entry("program", core::sentence("lapis {}", version));
  return html + "</dl>\n";
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string html;
  for (const char c : printable(text, std::string_view::npos)) {
    switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default: html += c;
    }
  }
  return html;
}

std::string matrix_page(const core::Matrix& matrix) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Latents through decoders: lapis "
      "matrix</title>\n<style>";
  html += style;
  html += "@media(min-width:60rem){.row{grid-template-columns:repeat(" + std::to_string(matrix.latents.size()) +
          ",minmax(0,1fr))}}\n</style>\n</head>\n<body>\n<main>\n<h1>Latents through decoders</h1>\n";
  html += explanation;
  for (std::size_t row = 0; row < matrix.latents.size(); ++row) html += row_html(matrix, row);
  html += table_html(matrix);
  html += making_html(matrix);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace lapis::io
