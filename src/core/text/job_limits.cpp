#include "core/text/job_limits.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>

namespace lapis::core {

std::string number_text(double value) {
  std::array<char, 32> digits{};
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto written =
      plain ? std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed)
            : std::to_chars(digits.data(), digits.data() + digits.size(), value);
  assert(written.ec == std::errc());
  return {digits.data(), written.ptr};
}

std::string count_text(std::uint64_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5; ++unit) value /= 1000;  // what would round to 1000 is 1.00 of the next unit
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::array<char, 32> digits{};
  const auto written =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals);
  return std::string(digits.data(), written.ptr) + " " + units.at(unit);
}

std::optional<std::string> limit_problem(std::string_view name, double value, Limits limits) {
  if (value >= limits.lowest && value <= limits.highest) return std::nullopt;  // false for NaN
  return std::string(name) + " is " + number_text(value) + "; expected " + number_text(limits.lowest) + " to " +
         number_text(limits.highest);
}

std::optional<std::string> seed_problem(std::string_view name, std::uint64_t seed, std::uint64_t pictures) {
  const std::uint64_t highest = std::numeric_limits<std::uint64_t>::max() - (pictures - 1);
  if (seed <= highest) return std::nullopt;
  return std::string(name) + " is " + std::to_string(seed) + "; with " + count_text(pictures, "picture") +
         " it can be at most " + std::to_string(highest);
}

std::optional<std::string> side_problem(std::string_view name, std::int64_t value, int multiple) {
  if (auto problem = limit_problem(name, static_cast<double>(value), side_limits)) return problem;
  const std::int64_t below = value - value % multiple;
  if (below == value) return std::nullopt;
  std::string sizes;
  if (static_cast<double>(below) >= side_limits.lowest) sizes = std::to_string(below);
  if (static_cast<double>(below + multiple) <= side_limits.highest) {
    sizes += (sizes.empty() ? "" : " or ") + std::to_string(below + multiple);
  }
  return std::string(name) + " is " + std::to_string(value) + "; expected a multiple of " + std::to_string(multiple) +
         ": " + sizes;
}

}  // namespace lapis::core
