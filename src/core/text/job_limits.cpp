#include "core/text/job_limits.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"

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
  return sentence("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return sentence("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5; ++unit) value /= 1000;  // what would round to 1000 is 1.00 of the next unit
  const char* const name = units.at(unit);
  if (value < 9.995) return sentence("{:.2f} {}", value, name);
  return value < 99.95 ? sentence("{:.1f} {}", value, name) : sentence("{:.0f} {}", value, name);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 11> units = {{{"", 1},
                                                                          {"b", 1},
                                                                          {"k", 1e3},
                                                                          {"kb", 1e3},
                                                                          {"m", 1e6},
                                                                          {"mb", 1e6},
                                                                          {"g", 1e9},
                                                                          {"gb", 1e9},
                                                                          {"kib", 0x1p10},
                                                                          {"mib", 0x1p20},
                                                                          {"gib", 0x1p30}}};
  double number = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit = lower_ascii(std::string_view(stop, static_cast<std::size_t>(text.data() + text.size() - stop)));
  unit.erase(0, unit.find_first_not_of(' '));
  const auto row = std::ranges::find(units, std::string_view(unit), [](const auto& each) { return each.first; });
  if (code != std::errc() || row == units.end() || !(number >= 0) || number * row->second > 1e18) return std::nullopt;
  return static_cast<std::uint64_t>(number * row->second);
}

std::optional<std::string> limit_problem(std::string_view name, double value, Limits limits) {
  if (value >= limits.lowest && value <= limits.highest) return std::nullopt;  // false for NaN
  return sentence("{} is {}; expected {} to {}", name, number_text(value), number_text(limits.lowest),
                  number_text(limits.highest));
}

std::optional<std::string> seed_problem(std::string_view name, std::uint64_t seed, std::uint64_t pictures) {
  const std::uint64_t highest = std::numeric_limits<std::uint64_t>::max() - (pictures - 1);
  if (seed <= highest) return std::nullopt;
  return sentence("{} is {}; with {} it can be at most {}", name, seed, count_text(pictures, "picture"), highest);
}

std::optional<std::string> side_problem(std::string_view name, std::int64_t value, int multiple) {
  if (auto problem = limit_problem(name, static_cast<double>(value), side_limits)) return problem;
  const std::int64_t below = value - value % multiple;
  if (below == value) return std::nullopt;
  std::vector<std::string> sizes;
  if (static_cast<double>(below) >= side_limits.lowest) sizes.push_back(std::to_string(below));
  if (static_cast<double>(below + multiple) <= side_limits.highest) sizes.push_back(std::to_string(below + multiple));
  return sentence("{} is {}; expected a multiple of {}: {}", name, value, multiple, joined(sizes, " or "));
}

}  // namespace lapis::core
