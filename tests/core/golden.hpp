// Goldens and data files for the tests of core.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "../folder.hpp"

namespace lapis::test {

/// The content of `path` below tests/.
inline std::string read_text(const std::string& path) {
  std::ifstream file(lapis::test::folder() / path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open tests/" + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The cases of tests/golden/<name>.json.
inline nlohmann::json golden_cases(const std::string& name) {
  return nlohmann::json::parse(read_text("golden/" + name + ".json")).at("cases");
}

/// The largest |found - expected| / |expected| over the elements, infinite where the counts differ. An expected zero
/// must be met exactly.
inline double largest_error(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(found[i] - expected[i]);
    if (!(difference > 0) && !std::isnan(difference)) continue;
    const double relative = expected[i] == 0 ? INFINITY : difference / std::abs(expected[i]);
    largest = std::isnan(relative) ? INFINITY : std::max(largest, relative);
  }
  return largest;
}

}  // namespace lapis::test
