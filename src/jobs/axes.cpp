#include "jobs/axes.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <utility>
#include <variant>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "core/text/unicode.hpp"
#include "io/file/file_descriptor.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace lapis::jobs {
namespace {

constexpr std::size_t most_digits = 18;  // an std::int64_t holds any number of so many
constexpr std::size_t most_file_bytes = std::size_t{64} << 20U;
constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

std::vector<std::string_view> separated(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> pieces;
  for (std::size_t at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    pieces.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  pieces.push_back(text);
  return pieces;
}

/// The field's key, and its flags without their dashes.
std::vector<std::string> words_for(const core::JobField& field) {
  std::vector<std::string> names = {std::string(field.key)};
  for (const std::string_view flag : separated(field.flags, ",")) {
    names.emplace_back(flag.substr(flag.find_first_not_of('-')));
  }
  return names;
}

const core::JobField& field_called(std::string_view word) {
  std::vector<std::string> all;
  for (const core::JobField& field : core::job_fields()) {
    const std::vector<std::string> names = words_for(field);
    if (std::ranges::find(names, word) != names.end()) return field;
    all.insert(all.end(), names.begin(), names.end());
  }
  throw Error(ErrorKind::usage,
              core::sentence("{each}: a job has no field \"{}\".{}", word, core::did_you_mean(word, all)),
              core::sentence("Its fields are called as the options of {lapis generate}, as in {each} seed=1..8"));
}

bool takes_numbers(const core::JobField& field) {
  return std::holds_alternative<std::optional<std::int64_t> Job::*>(field.member) ||
         std::holds_alternative<std::optional<std::uint64_t> Job::*>(field.member) ||
         std::holds_alternative<std::optional<double> Job::*>(field.member);
}

/// How many digits a number has behind its point.
std::size_t decimals_of(std::string_view word) {
  const std::size_t point = word.find('.');
  return point == std::string_view::npos ? 0 : word.size() - point - 1;
}

/// A number in units of its last of `decimals` digits behind the point; none where `word` is none, or a longer one than
/// `most_digits`.
std::optional<std::int64_t> units_of(std::string_view word, std::size_t decimals) {
  const std::size_t own = decimals_of(word);
  if (word.ends_with('.') || word.starts_with('.') || word.size() > most_digits + 2 || decimals > most_digits) {
    return std::nullopt;
  }
  std::string digits(word);
  if (own > 0) digits.erase(word.size() - own - 1, 1);
  digits.append(decimals - own, '0');
  if (digits.size() > most_digits + (digits.starts_with('-') ? 1 : 0)) return std::nullopt;
  std::int64_t units = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, units);
  return code == std::errc() && stop == end ? std::optional(units) : std::nullopt;
}

/// The number of so many units, in the fewest digits.
std::string decimal_text(std::int64_t units, std::size_t decimals) {
  std::string digits = std::to_string(std::abs(units));
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (decimals > 0) {
    digits.insert(digits.size() - decimals, 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
  }
  return (units < 0 ? "-" : "") + digits;
}

void check_value_count(std::string_view key, std::size_t count) {
  if (count <= most_axis_values) return;
  throw Error(ErrorKind::usage, core::sentence("{each} gives {} {} values; expected at most {}", core::field_name(key),
                                               count, most_axis_values));
}

/// Appends the numbers of a range.
void append_range(const core::JobField& field, std::string_view word, std::vector<std::string>& values) {
  const std::vector<std::string_view> numbers = separated(word, "..");
  std::size_t decimals = 0;
  for (const std::string_view number : numbers) decimals = std::max(decimals, decimals_of(number));
  std::vector<std::int64_t> units;
  for (const std::string_view number : numbers) {
    if (const auto each = units_of(number, decimals)) units.push_back(*each);
  }
  if (numbers.size() == 2 && decimals == 0) units.push_back(1);
  if (units.size() != 3 || numbers.size() > 3 || units[2] <= 0) {
    throw Error(ErrorKind::usage,
                core::sentence("{each} gives {} \"{}\"; expected a range as 1..8, 8..1 or 0.5..1..0.1: whole ends or a "
                               "step above 0, and at most {} digits",
                               core::field_name(field.key), word, most_digits));
  }
  const std::int64_t step = units[1] < units[0] ? -units[2] : units[2];
  const std::int64_t count = (units[1] - units[0]) / step + 1;
  check_value_count(field.key, values.size() + static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) values.push_back(decimal_text(units[0] + i * step, decimals));
}

std::vector<std::string> listed_values(const core::JobField& field, std::string_view list) {
  std::vector<std::string> values;
  for (const std::string_view word : separated(list, ",")) {
    if (takes_numbers(field) && word.find("..") != std::string_view::npos) {
      append_range(field, word, values);
    } else {
      values.emplace_back(word);
    }
  }
  return values;
}

[[noreturn]] void refuse_values_file(const std::string& path, const std::string& why) {
  throw Error(ErrorKind::input, core::sentence("{each}: {} {}", io::printable(path), why));
}

std::vector<std::string> values_in_file(const std::string& path) {
  const io::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) refuse_values_file(path, core::sentence("cannot be read: {}", io::system_reason(errno)));
  const auto is_small = [&](std::span<const std::byte> read) {
    if (read.size() > most_file_bytes)
      refuse_values_file(path, "is larger than 64 MiB; expected a text file with a value a line");
    return true;
  };
  const std::vector<std::byte> bytes =
      io::read_all(file.number(), core::sentence("{each}: {}:", io::printable(path)), /*expected=*/0, is_small);
  std::string_view text = io::as_chars(bytes);
  if (const std::optional<std::size_t> bad = core::first_bad_utf8(text)) {
    refuse_values_file(path, core::sentence("is not UTF-8: byte {} begins no character; save it as UTF-8", *bad));
  }
  if (text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());
  std::vector<std::string> lines;
  for (const std::string_view line : separated(text, "\n")) {
    if (const std::string_view value = core::stripped(line); !value.empty()) lines.emplace_back(value);
  }
  if (lines.empty()) refuse_values_file(path, "has no values; expected one a line");
  return lines;
}

/// Refuses a word that is no value of the field.
void check_word(const core::JobField& field, const std::string& word) {
  if (word.empty()) {
    throw Error(ErrorKind::usage,
                core::sentence("{each} gives {} an empty value; expected VALUE,VALUE,... or @FILE with one a line",
                               core::field_name(field.key)));
  }
  try {
    Job scratch;
    core::set_field(scratch, field, word);
  } catch (const Error& error) {
    throw Error(error.kind(), core::sentence("{each}: {}", error.marked_problem()), error.marked_advice());
  }
}

}  // namespace

Axis parse_axis(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    throw Error(ErrorKind::usage,
                core::sentence("{each} is \"{}\"; expected FIELD=VALUES, as seed=1..8 or prompt=@prompts.txt", text));
  }
  const core::JobField& field = field_called(text.substr(0, equals));
  const std::string_view words = text.substr(equals + 1);
  Axis axis{std::string(field.key),
            words.starts_with('@') ? values_in_file(std::string(words.substr(1))) : listed_values(field, words)};
  check_value_count(field.key, axis.values.size());
  const bool is_switch = std::holds_alternative<bool Job::*>(field.member);
  for (std::string& value : axis.values) {
    if (is_switch && (value == "on" || value == "off")) value = value == "on" ? "true" : "false";
    check_word(field, value);
  }
  return axis;
}

std::size_t combinations(std::span<const Axis> axes) {
  std::size_t count = 1;
  for (const Axis& axis : axes) count *= axis.values.size();
  return count;
}

void check_axes(std::span<const Axis> axes) {
  std::size_t count = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::string& key = axes[i].key;
    if (std::ranges::find(axes.first(i), key, &Axis::key) != axes.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw Error(ErrorKind::usage, core::sentence("{each} gives {} twice; give all its values at once", key));
    }
    if (axes[i].values.size() > most_combinations / count) {
      std::vector<std::string> counts;
      for (const Axis& axis : axes) counts.push_back(std::to_string(axis.values.size()));
      throw Error(ErrorKind::usage, core::sentence("{each} makes {} jobs; expected at most {}",
                                                   core::joined(counts, " x "), most_combinations));
    }
    count *= axes[i].values.size();
  }
}

std::vector<std::size_t> places(std::span<const Axis> axes, std::size_t number) {
  std::vector<std::size_t> found(axes.size());
  for (std::size_t i = axes.size(); i-- > 0;) {
    found[i] = number % axes[i].values.size();
    number /= axes[i].values.size();
  }
  return found;
}

}  // namespace lapis::jobs
