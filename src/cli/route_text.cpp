#include "cli/route_text.hpp"

#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"

namespace lapis::cli {

void print_route(const std::string& file, const core::Route& route, bool batch) {
  print_line(core::sentence("{}: {}", file, core::verdict_name(core::verdict(route))));
  print_line(route.reason);
  for (const std::string& step : core::step_texts(route)) print_line("  " + step);
  const bool counts_pictures = batch && core::cost(route) != core::RouteCost{};
  print_line(core::sentence("cost: {}{}", core::cost_text(route), counts_pictures ? ", for each of the pictures" : ""));
}

void print_route(const pipeline::HandoffPlan& handoff) {
  print_route(handoff.latent.name, handoff.route, handoff.latent.passport.shape[0] > 1);
}

}  // namespace lapis::cli
