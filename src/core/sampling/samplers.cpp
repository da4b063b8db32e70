#include "core/sampling/samplers.hpp"

#include <algorithm>
#include <utility>

#include "core/sampling/sampler_table.hpp"
#include "core/text/choice.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
std::span<const SamplerRow> samplers() {
  static const std::vector<SamplerRow> rows = [] {
    std::vector<SamplerRow> listed;
    each_sampler([&](SamplerRow row, const auto&) { listed.push_back(std::move(row)); });
    return listed;
  }();
  return rows;
}

std::vector<std::string> names_of(const SamplerRow& row) {
  std::vector<std::string> names = {row.name, row.label};
  names.insert(names.end(), row.aliases.begin(), row.aliases.end());
  return names;
}

const SamplerRow& find_sampler(std::string_view name, const std::string& what) {
  return row_called(what, name, samplers());
}

void check_memory(const SamplerRow& row, int steps, std::size_t count) {
  // x at the last step's beginning goes with an answer there.
  const bool pairs = row.remembered == Remembered::x_and_answers;
  const int most = std::min(row.remembers, steps > 0 && pairs ? steps + 1 : steps);
  if (count <= static_cast<std::size_t>(most) && !(pairs && count == 1)) return;
  throw Error(ErrorKind::usage,
              sentence("the latent remembers {} of earlier steps, and {} {} after {}: another "
                       "sampler made it. Name that one with {sampler}",
                       count_text(count, "array"), row.name, most == 0 ? "none" : "other ones", steps));
}

bool can_begin_at_noise_alone(const SamplerRow& row, Prediction prediction) {
  return row.terminal != Terminal::none && (row.terminal != Terminal::wholly || prediction != Prediction::epsilon);
}

std::vector<std::string> samplers_from_noise_alone(Prediction prediction) {
  std::vector<std::string> names;
  for (const SamplerRow& row : samplers()) {
    if (can_begin_at_noise_alone(row, prediction)) names.push_back(row.name);
  }
  return names;
}

bool supports(const SamplerRow& row, Path path) { return path != Path::flow || row.not_on_flow.empty(); }

std::vector<std::string> samplers_on(Path path) {
  std::vector<std::string> names;
  for (const SamplerRow& row : samplers()) {
    if (supports(row, path)) names.push_back(row.name);
  }
  return names;
}

}  // namespace lapis::core
