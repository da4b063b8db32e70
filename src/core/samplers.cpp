#include "core/samplers.hpp"

#include <array>

#include "core/suggest.hpp"

namespace lapis::core {

std::span<const SamplerRow> samplers() {
  static const std::array<SamplerRow, 1> rows = {{
      {Sampler::euler, "euler", "Euler", {"k_euler", "sample_euler", "EulerDiscreteScheduler"}, 1, false},
  }};
  return rows;
}

const SamplerRow& find_sampler(std::string_view name) {
  std::vector<std::string> names;
  std::vector<std::string> known;
  for (const SamplerRow& row : samplers()) {
    if (equal_ignoring_case(name, row.name) || equal_ignoring_case(name, row.label)) return row;
    for (const std::string& alias : row.aliases) {
      if (equal_ignoring_case(name, alias)) return row;
    }
    names.push_back(row.name);
    known.push_back(row.name);
    known.insert(known.end(), row.aliases.begin(), row.aliases.end());
  }
  throw Error(ErrorKind::usage, "unknown sampler \"" + std::string(name) + "\"; there is " + listed(names) + "." +
                                    did_you_mean(name, known));
}

}  // namespace lapis::core
