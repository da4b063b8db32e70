#include "cli/route_text.hpp"

#include "cli/terminal.hpp"

namespace lapis::cli {

void print_route(const std::string& file, const core::Ruling& ruling, const pipeline::CrossingOptions& options,
                 bool batch) {
  print_line(file + ": " + std::string(core::verdict_name(ruling.verdict)));
  print_line(ruling.reason);
  for (const std::string& step : ruling.steps) print_line("  " + step);
  if (ruling.verdict != core::Verdict::re_encode) {
    print_line("cost: no call of a VAE");
    return;
  }
  std::string cost =
      "cost: " + std::to_string(ruling.decodes) + " decode, " + std::to_string(ruling.encodes) + " encode";
  if (options.measure || options.compensate) cost += ", 1 decode to measure";
  if (options.compensate) cost += ", 1 encode and 1 decode to compensate colours";
  print_line(cost + (batch ? ", for each of the pictures" : ""));
}

void print_route(const pipeline::Handoff& handoff) {
  print_route(handoff.file(), handoff.ruling(), handoff.crossing(""), handoff.is_batch());
}

}  // namespace lapis::cli
