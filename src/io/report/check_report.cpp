#include "io/report/check_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/file/json_text.hpp"
#include "io/report/json_parts.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

Json checked_json(const Checked& checked) {
  const core::Route& route = checked.route;
  const core::RouteCost cost = core::cost(route);
  const bool sized = route.size.width > 0;
  Json json = {{"latent", checked.latent},
               {"destination", checked.destination},
               {"verdict", core::verdict_name(core::verdict(route))},
               {"from", text_or_null(checked.from)},
               {"to", text_or_null(checked.to)},
               {"reason", route.reason},
               {"advice", route.advice},
               {"steps", core::step_texts(route)},
               {"size", sized ? Json{route.size.width, route.size.height} : Json()},
               {"pictures", checked.pictures},
               {"decodes", cost.decodes},
               {"encodes", cost.encodes},
               {"lossless", core::is_lossless(route)}};
  if (!checked.fits.empty()) json["fits"] = matches_json(checked.fits);
  return json;
}

}  // namespace

core::Verdict overall(std::span<const Checked> checks) {
  core::Verdict worst = core::Verdict::same;
  for (const Checked& checked : checks) worst = std::max(worst, core::verdict(checked.route));
  return worst;
}

std::string check_report(std::span<const Checked> checks) {
  Json list = Json::array();
  for (const Checked& checked : checks) list.push_back(checked_json(checked));
  const Json json = {{"verdict", core::verdict_name(overall(checks))}, {"checks", list}};
  return json_text(json);
}

}  // namespace lapis::io
