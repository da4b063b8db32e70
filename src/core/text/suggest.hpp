// "Did you mean": the name a user probably meant.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// Edits that turn `a` into `b`: bytes inserted, dropped, replaced, or two neighbours swapped, no byte edited twice
/// (the optimal string alignment distance of Damerau 1964, "A technique for computer detection and correction of
/// spelling errors").
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that other tools call `word` ("gpu" for "cuda"), else the one fewest edits away, the first of equals.
/// ASCII case is ignored. None where the nearest is further than a third of the longer word's length (at least one edit
/// is always allowed, and never a whole word).
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

/// The text with its ASCII letters in lower case.
std::string lower_ascii(std::string_view text);

/// True where the words differ in nothing but ASCII case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// The letters and digits of a name that tools spell in many ways, in lower case: "DPM++ 2M", "dpmpp_2m" and "dpm++2m"
/// are all "dpmpp2m", "SD1.5" is "sd15".
std::string loose_name(std::string_view name);

/// The names of a table's rows, in their order.
template <typename Rows>
std::vector<std::string> row_names(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

/// "a", "a and b", "a, b and c": names as an error text lists them, in quotes.
std::string listed(std::span<const std::string> names);

/// ". Did you mean "x"?", or "" where `closest` finds nothing: the end of an error text that has no advice.
std::string guess(std::string_view word, std::span<const std::string> candidates);

/// " Did you mean "x"?" or "": `guess` behind the full stop that a text with advice ends in.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace lapis::core
