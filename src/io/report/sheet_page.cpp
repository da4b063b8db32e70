#include "io/report/sheet_page.hpp"

#include <algorithm>
#include <cctype>
#include <span>
#include <string>
#include <string_view>

#include "core/text/sentence.hpp"
#include "io/file/base64.hpp"
#include "io/picture/png.hpp"
#include "io/report/matrix_report.hpp"

namespace lapis::io {
namespace {

constexpr const char* sheet_style = R"(
:root{--ground:#f4f5f7;--card:#fff;--blank:#e6e8ec;--ink:#20232a;--pale:#5c6270;--line:#d5d8de;--focus:#2f5c9a}
@media(prefers-color-scheme:dark){:root{--ground:#15171c;--card:#1f2229;--blank:#2b2f38;--ink:#e6e8ec;--pale:#a2a8b5;
--line:#363b46;--focus:#86b2f2}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--ground);color:var(--ink);font:1rem/1.45 system-ui,sans-serif;
-webkit-text-size-adjust:100%}
h1{font-size:1.4rem;margin:0 0 .5rem}
p{margin:.3rem 0 .8rem;color:var(--pale);overflow-wrap:anywhere}
.grid{overflow:auto;max-height:90vh}
table{border-collapse:separate;border-spacing:.4rem}
th{font-size:.85rem;font-weight:600;text-align:left;vertical-align:top;background:var(--ground);padding:.2rem .4rem;
min-width:5rem;max-width:14rem;overflow-wrap:break-word}
thead th{position:sticky;top:0;z-index:1}
tbody th{position:sticky;left:0}
tbody th span{display:block;font-weight:400}
td{background:var(--card);border:1px solid var(--line);border-radius:.3rem;padding:.4rem;vertical-align:top}
td div{display:flex;gap:.4rem}
img{display:block;border-radius:.2rem}
figure{margin:0}
figcaption{font-size:.8rem;margin-top:.3rem;max-width:16rem;overflow-wrap:anywhere}
.none{display:flex;align-items:center;width:8rem;min-height:8rem;padding:.4rem;background:var(--blank);
color:var(--pale);font-size:.8rem;overflow-wrap:anywhere;border-radius:.2rem}
:focus-visible{outline:.2rem solid var(--focus);outline-offset:.15rem}
@media(max-width:32rem){body{padding:.6rem}th{min-width:5.5rem;max-width:7rem;font-size:.75rem}td div{flex-wrap:wrap}img{max-width:50vw;height:auto}}
)";

std::string joined_words(const core::SheetHeading& heading) {
  std::string text;
  for (const std::string& word : heading) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// A path as an address.
std::string url_path(std::string_view path) {
  constexpr std::string_view plain = "-._~/";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string url;
  for (const char letter : path) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || plain.find(letter) != std::string_view::npos) {
      url += letter;
    } else {
      url += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return url;
}

std::string tile_html(const core::SheetTile& tile, const std::string& what) {
  std::string html = "<figure>";
  if (tile.picture) {
    const std::string picture = core::sentence(
        "<img src=\"data:image/png;base64,{}\" alt=\"{}\" width=\"{}\" height=\"{}\">",
        base64(encode_png(*tile.picture, {})), escaped_html(what), tile.picture->width, tile.picture->height);
    html += tile.link.empty() ? picture
                              : core::sentence("<a href=\"{}\">{}</a>", escaped_html(url_path(tile.link)), picture);
  } else {
    html += core::sentence("<div class=\"none\">{}</div>", escaped_html(tile.text));
  }
  for (const core::SheetLine& line : tile.caption) {
    html += core::sentence("<figcaption>{}</figcaption>", escaped_html(line.text));
  }
  return html + "</figure>";
}

std::string row_heading(const core::SheetHeading& heading) {
  std::string html = "<th scope=\"row\">";
  for (const std::string& word : heading) html += core::sentence("<span>{}</span>", escaped_html(word));
  return html + "</th>";
}

bool has_words(const std::vector<core::SheetHeading>& headings) {
  return std::ranges::any_of(headings, [](const core::SheetHeading& heading) { return !heading.empty(); });
}

}  // namespace

std::vector<std::byte> sheet_page(const core::Sheet& sheet) {
  const bool has_rows = has_words(sheet.rows);
  std::string html = core::sentence(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<h1>{}</h1>\n",
      escaped_html(sheet.title), sheet_style, escaped_html(sheet.title));
  for (const std::string& note : sheet.notes) html += core::sentence("<p>{}</p>\n", escaped_html(note));
  html += "<div class=\"grid\" tabindex=\"0\">\n<table>\n";
  if (has_words(sheet.columns)) {
    html += has_rows ? "<thead><tr><th></th>" : "<thead><tr>";
    for (const core::SheetHeading& column : sheet.columns) {
      html += core::sentence("<th scope=\"col\">{}</th>", escaped_html(joined_words(column)));
    }
    html += "</tr></thead>\n";
  }
  html += "<tbody>\n";
  for (std::size_t row = 0; row < sheet.rows.size(); ++row) {
    html += has_rows ? "<tr>" + row_heading(sheet.rows[row]) : "<tr>";
    for (std::size_t column = 0; column < sheet.columns.size(); ++column) {
      const std::string what = joined_words(sheet.rows[row]) + " " + joined_words(sheet.columns[column]);
      html += "<td><div>";
      for (const core::SheetTile& tile : sheet.cells[row * sheet.columns.size() + column].tiles)
        html += tile_html(tile, what);
      html += "</div></td>";
    }
    html += "</tr>\n";
  }
  html += "</tbody>\n</table>\n</div>\n</body>\n</html>\n";
  const std::span<const std::byte> bytes = std::as_bytes(std::span(html));
  return {bytes.begin(), bytes.end()};
}

}  // namespace lapis::io
