#include "core/checkpoint/peft_patterns.hpp"

#include <algorithm>

#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view plain_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

/// What the whole expression comes to for a key that repeats nothing: most are of hundreds of such keys.
bool ends_in(std::string_view module, std::string_view key) {
  if (module.size() < key.size()) return false;
  const std::size_t at = module.size() - key.size();
  const auto same = [](char c, char wanted) { return wanted == '.' || c == wanted; };
  return (at == 0 || module[at - 1] == '.') &&
         std::equal(module.begin() + static_cast<std::ptrdiff_t>(at), module.end(), key.begin(), key.end(), same);
}

}  // namespace

void PeftPatterns::add(const std::string& key, double number) {
  if (key.find_first_not_of(plain_characters) == std::string::npos) {
    rows_.push_back({key, std::nullopt, number});
  } else {
    rows_.push_back({"", PythonRegex("(.*\\.)?(" + key + ")$"), number});
  }
  states_ += rows_.back().regex ? rows_.back().regex->size() : 1;
  if (states_ > most_states) throw Error(ErrorKind::input, "is one too many: together they are too long");
}

std::optional<double> PeftPatterns::find(std::string_view module, std::uint64_t& steps) const {
  for (const Row& row : rows_) {
    PythonRegex::take_steps(steps, 1);
    if (row.regex ? row.regex->matches(module, steps) : ends_in(module, row.plain)) return row.number;
  }
  return std::nullopt;
}

}  // namespace lapis::core
