#include "io/report/check_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/report/space_match_json.hpp"
#include "io/file/json_text.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

Json name_json(const std::string& name) { return name.empty() ? Json() : Json(name); }

Json checked_json(const Checked& checked) {
  const core::Ruling& ruling = checked.ruling;
  const bool sized = ruling.size.width > 0;
  Json json = {{"latent", checked.latent},
               {"destination", checked.destination},
               {"verdict", core::verdict_name(ruling.verdict)},
               {"from", name_json(checked.from)},
               {"to", name_json(checked.to)},
               {"reason", ruling.reason},
               {"advice", ruling.advice},
               {"steps", ruling.steps},
               {"size", sized ? Json{ruling.size.width, ruling.size.height} : Json()},
               {"pictures", checked.pictures},
               {"decodes", ruling.decodes},
               {"encodes", ruling.encodes}};
  if (!checked.fits.empty()) json["fits"] = matches_json(checked.fits);
  return json;
}

}  // namespace

core::Verdict overall(std::span<const Checked> checks) {
  core::Verdict worst = core::Verdict::same;
  for (const Checked& checked : checks) worst = std::max(worst, checked.ruling.verdict);
  return worst;
}

std::string check_report(std::span<const Checked> checks) {
  Json list = Json::array();
  for (const Checked& checked : checks) list.push_back(checked_json(checked));
  const Json json = {{"verdict", core::verdict_name(overall(checks))}, {"checks", list}};
  return json_text(json);
}

}  // namespace lapis::io
