#include "core/latent/route.hpp"

#include <algorithm>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

bool asks_for(const Route& route, Verdict verdict) {
  return std::ranges::any_of(route.steps,
                             [verdict](const RouteStep& step) { return step_row(step.kind).verdict == verdict; });
}

}  // namespace

Verdict verdict(const Route& route) {
  if (route.refused) return Verdict::refuse;
  for (const Verdict verdict : {Verdict::re_encode, Verdict::rescale, Verdict::repack}) {
    if (asks_for(route, verdict)) return verdict;
  }
  return Verdict::same;
}

RouteCost cost(const Route& route) {
  RouteCost cost;
  for (const RouteStep& step : route.steps) {
    cost.decodes += step_row(step.kind).decodes;
    cost.encodes += step_row(step.kind).encodes;
  }
  return cost;
}

std::string cost_text(const Route& route) {
  RouteCost way;
  std::vector<std::string> asides;
  for (const RouteStep& step : route.steps) {
    const StepRow& row = step_row(step.kind);
    if (!row.aside.empty()) {
      asides.emplace_back(row.aside);
      continue;
    }
    way.decodes += row.decodes;
    way.encodes += row.encodes;
  }
  if (way == RouteCost{}) return "no call of a VAE";
  std::vector<std::string> calls = {sentence("{} decode", way.decodes), sentence("{} encode", way.encodes)};
  calls.insert(calls.end(), asides.begin(), asides.end());
  return joined(calls);
}

bool is_lossless(const Route& route) {
  return !route.refused &&
         std::ranges::all_of(route.steps, [](const RouteStep& step) { return step_row(step.kind).lossless; });
}

std::vector<std::string> step_texts(const Route& route) {
  const bool has_picture = asks_for(route, Verdict::re_encode);
  std::vector<std::string> texts;
  for (const RouteStep& step : route.steps) {
    const StepRow& row = step_row(step.kind);
    if (row.text == nullptr || (has_picture && row.verdict != Verdict::re_encode)) continue;
    texts.push_back(row.text(step));
  }
  return texts;
}

std::vector<Transcode> history(const Route& route, const Measured& measured) {
  std::vector<Transcode> entries;
  const Space* departed = nullptr;
  for (const RouteStep& step : route.steps) {
    const Verdict verdict = step_row(step.kind).verdict;
    std::string name(verdict_name(verdict));
    if (step.kind == StepKind::decode) {
      departed = &step.from;
    } else if (step.kind == StepKind::encode && departed != nullptr) {
      if (measured.compensated > 0) name += ", compensated";
      entries.push_back({name, space_name(*departed), space_name(step.from), step.size, measured.psnr});
    } else if (verdict == Verdict::rescale && !same_numbers(step.from, step.to)) {
      entries.push_back({name, space_name(step.from), space_name(step.to), step.size, std::nullopt});
    }
  }
  return entries;
}

void require(const Route& route) {
  if (!route.refused) return;
  throw Error(ErrorKind::incompatible, route.reason, route.advice);
}

}  // namespace lapis::core
