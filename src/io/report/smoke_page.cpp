#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/picture/difference.hpp"
#include "core/picture/resize.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/base64.hpp"
#include "io/picture/png.hpp"
#include "io/report/matrix_report.hpp"
#include "io/report/smoke_report.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

constexpr int longest_shown_side = 1024;
constexpr int amplification = 16;

constexpr const char* page_style = R"(
:root{--ground:#f4f5f7;--card:#fff;--blank:#e6e8ec;--ink:#20232a;--pale:#5c6270;--line:#d5d8de;--bad:#ac3426;
--good:#1e7642;--focus:#2f5c9a}
@media(prefers-color-scheme:dark){:root{--ground:#15171c;--card:#1f2229;--blank:#2b2f38;--ink:#e6e8ec;--pale:#a2a8b5;
--line:#363b46;--bad:#f28b7d;--good:#7fd09f;--focus:#86b2f2}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:64rem;margin:auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:2rem 0 .6rem}
h3{font-size:1.05rem;margin:0 0 .4rem;overflow-wrap:anywhere}
h4{font-size:.9rem;font-weight:600;margin:1rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0;max-width:46rem;overflow-wrap:anywhere}
.bad{color:var(--bad)}.good{color:var(--good)}.pale{color:var(--pale)}
.case{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--bad);border-radius:.4rem;
padding:.9rem 1rem;margin:0 0 1rem}
.three{display:grid;gap:.75rem;grid-template-columns:repeat(3,minmax(0,1fr));max-width:48rem}
figure{margin:0}
figcaption{font-size:.85rem;color:var(--pale);margin-top:.3rem}
img{display:block;width:100%;height:auto;image-rendering:pixelated;border-radius:.2rem}
.swap{display:block;position:relative;width:100%;padding:0;border:0;background:none;border-radius:.2rem;cursor:pointer}
.swap img+img{position:absolute;inset:0;visibility:hidden}
.swap:hover img+img,.swap[aria-pressed=true] img+img{visibility:visible}
.swap[aria-pressed=true]:hover img+img{visibility:hidden}
:focus-visible{outline:.2rem solid var(--focus);outline-offset:.15rem}
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.15rem 1rem;font-size:.9rem;margin:.6rem 0;
font-variant-numeric:tabular-nums}
dt{color:var(--pale)}dd{margin:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,monospace;font-size:.85rem}
pre{margin:0;padding:.45rem .6rem;background:var(--blank);border-radius:.25rem;white-space:pre-wrap;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;width:100%}
th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td{overflow-wrap:anywhere}
@media(max-width:32rem){.three{gap:.4rem}.case{padding:.7rem .7rem}dl{grid-template-columns:1fr;gap:0}
dd{margin-bottom:.4rem}th,td{padding-right:.5rem}}
)";

/// The key "s" presses all pictures that swap; a click, Enter or the space bar presses one.
constexpr const char* page_script = R"(
const swaps=[...document.querySelectorAll('.swap')];
const press=(button,on)=>button.setAttribute('aria-pressed',on);
for(const button of swaps)
  button.addEventListener('click',()=>press(button,button.getAttribute('aria-pressed')!=='true'));
document.addEventListener('keydown',event=>{
  if(event.key!=='s'||event.ctrlKey||event.metaKey||event.altKey||!swaps.length)return;
  const on=swaps[0].getAttribute('aria-pressed')!=='true';
  for(const button of swaps)press(button,on);
});
)";

std::string picture_tag(const Image& picture, const std::string& alternative) {
  const Image shown = core::at_most(picture, longest_shown_side);
  return core::sentence("<img src=\"data:image/png;base64,{}\" alt=\"{}\" width=\"{}\" height=\"{}\">",
                        base64(encode_png(shown, {})), escaped_html(alternative), shown.width, shown.height);
}

std::string picture_figure(const std::string& content, const std::string& caption) {
  return core::sentence("<figure>{}<figcaption>{}</figcaption></figure>\n", content, caption);
}

std::string pictures_html(const SmokeGolden& golden) {
  std::string html;
  const std::string actual = golden.actual_picture ? picture_tag(*golden.actual_picture, "actual " + golden.name) : "";
  if (golden.expected_picture) {
    const std::string expected = picture_tag(*golden.expected_picture, "expected " + golden.name);
    html += picture_figure(actual.empty() ? expected
                                          : core::sentence("<button class=\"swap\" aria-pressed=\"false\" "
                                                           "aria-label=\"show the actual picture here\">{}{}</button>",
                                                           expected, actual),
                           "expected");
  }
  if (!actual.empty()) html += picture_figure(actual, "actual");
  if (golden.expected_picture && golden.actual_picture &&
      golden.expected_picture->rgb.size() == golden.actual_picture->rgb.size() &&
      golden.expected_picture->width == golden.actual_picture->width) {
    const Image difference =
        core::amplified_difference(*golden.expected_picture, *golden.actual_picture, amplification);
    html += picture_figure(picture_tag(difference, "difference of " + golden.name),
                           core::sentence("difference, times {}", amplification));
  }
  return html.empty() ? html : core::sentence("<div class=\"three\">\n{}</div>\n", html);
}

std::string row_of(const std::string& term, const std::string& text) {
  return core::sentence("<dt>{}</dt><dd>{}</dd>\n", escaped_html(term), escaped_html(text));
}

std::string golden_html(const SmokeGolden& golden) {
  std::string html = core::sentence("<h4>{}: {}</h4>\n", escaped_html(golden.name), state_text(golden.state));
  html += pictures_html(golden);
  std::string rows;
  if (golden.pair) {
    for (const auto& row : measure_rows(*golden.pair)) rows += row_of(row[0], row[1]);
  }
  if (!golden.kept_actual.empty()) rows += row_of("actual", golden.kept_actual);
  rows += row_of("expected", golden.expected);
  return html + core::sentence("<dl>\n{}</dl>\n", rows);
}

std::string line_html(const std::string& what, const std::string& line) {
  return line.empty() ? "" : core::sentence("<p>{}</p><pre><code>{}</code></pre>\n", what, escaped_html(line));
}

std::string failed_html(const SmokeCase& test) {
  std::string html = core::sentence("<section class=\"case\"><h3>{}</h3>\n", escaped_html(test.name));
  for (const std::string& fault : test.faults) html += core::sentence("<p class=\"bad\">{}</p>\n", escaped_html(fault));
  for (const std::string& note : test.notes) html += core::sentence("<p class=\"pale\">{}</p>\n", escaped_html(note));
  for (const SmokeGolden& golden : test.goldens) html += golden_html(golden);
  html += line_html("Run it again:", test.again) + line_html("Approve what it makes now:", test.approve);
  return html + "</section>\n";
}

std::string passed_row(const SmokeCase& test) {
  std::vector<std::string> said = test.notes;
  for (const SmokeGolden& golden : test.goldens) {
    said.push_back(core::sentence("{}: {}", golden.name, state_text(golden.state)));
  }
  if (test.exit != 0) said.push_back(core::sentence("refused as it must be, exit code {}", test.exit));
  return core::sentence("<tr><td>{}</td><td>{:.2f} s</td><td>{}</td></tr>\n", escaped_html(test.name), test.seconds,
                        escaped_html(core::joined(said, "; ")));
}

}  // namespace

std::string smoke_page(const SmokeReport& report) {
  const std::string verdict = report.passed() ? "passed" : "failed";
  std::string html = core::sentence(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}: {}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<main>\n<h1>{} <span class=\"{}\">{}</span></h1>\n<p>{}</p>\n",
      verdict, escaped_html(report.suite), page_style, escaped_html(report.suite), report.passed() ? "good" : "bad",
      verdict, escaped_html(counts_text(report)));
  html += core::sentence("<p class=\"pale\">lapis {} on {}</p>\n", version, escaped_html(report.machine));
  for (const std::string& fault : report.faults)
    html += core::sentence("<p class=\"bad\">{}</p>\n", escaped_html(fault));
  if (report.failed() > 0) {
    html +=
        "<h2>Failed</h2>\n<p class=\"pale\">Point at an expected picture, or press it, to see the actual one in its "
        "place; the key s swaps all.</p>\n";
  }
  for (const SmokeCase& test : report.cases) {
    if (!test.passed()) html += failed_html(test);
  }
  std::string rows;
  for (const SmokeCase& test : report.cases) {
    if (test.passed()) rows += passed_row(test);
  }
  if (!rows.empty()) {
    html += core::sentence(
        "<h2>Passed</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>case</th><th>time</th>"
        "<th>what was held</th></tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        rows);
  }
  return html + core::sentence("</main>\n<script>{}</script>\n</body>\n</html>\n", page_script);
}

}  // namespace lapis::io
