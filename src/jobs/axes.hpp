// Products of jobs: fields that take several values in turn.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::jobs {

constexpr std::size_t most_axis_values = 100'000;
constexpr std::size_t most_combinations = 1'000'000;

/// A field of a job and the values that it takes in turn.
struct Axis {
  std::string key;                  ///< of the field, as `core::job_fields` has it
  std::vector<std::string> values;  ///< words as `pipeline::say` takes them; at least one
};

/// The axis that "FIELD=VALUES" says. FIELD is a field's key, or a name of its flag: "guidance-interval". VALUES are
/// separated by commas; of a field that takes numbers each may be a range, A..B or A..B..STEP, rising or falling by
/// STEP from A as far as B (the default is 1, which takes whole ends). Ranges count in decimal places, and their
/// numbers are written shortest: 0.5..1..0.25 is 0.5, 0.75, 1. A field that is on or off takes "on" and "off" too.
/// "FIELD=@FILE" takes the lines of a UTF-8 text file, blanks at their ends and empty ones left out: for values with
/// commas. Throws Error{usage}, with the name {each}, for an unknown field, a value that is empty or none of the
/// field's kind, and for more than `most_axis_values`; Error{input} for a file that cannot be read.
Axis parse_axis(std::string_view text);

/// How many combinations there are: one of no axes. They must have passed `check_axes`.
std::size_t combinations(std::span<const Axis> axes);

/// Throws Error{usage} for a field that has two axes, and for more than `most_combinations`.
void check_axes(std::span<const Axis> axes);

/// For each axis, which of its values the combination of this number has. Numbers count from 0 to `combinations` - 1;
/// the first axis varies slowest, the last fastest.
std::vector<std::size_t> places(std::span<const Axis> axes, std::size_t number);

}  // namespace lapis::jobs
