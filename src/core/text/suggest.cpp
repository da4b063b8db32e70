#include "core/text/suggest.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

/// Longer words are no typing mistake of a name, and the distance costs their product.
constexpr std::size_t longest_word = 100;

/// What other tools call a thing, and what it is called here: no misspelling leads from one to the other.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> synonyms = {{{"gpu", "cuda"},
                                                                                     {"nvidia", "cuda"},
                                                                                     {"cuda:0", "cuda"},
                                                                                     {"mps", "cpu"},
                                                                                     {"float16", "fp16"},
                                                                                     {"half", "fp16"},
                                                                                     {"f16", "fp16"},
                                                                                     {"float32", "fp32"},
                                                                                     {"float", "fp32"},
                                                                                     {"f32", "fp32"},
                                                                                     {"bfloat16", "bf16"},
                                                                                     {"true", "on"}}};

}  // namespace

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
  if (word.empty() || word.size() > longest_word) return std::nullopt;
  const std::string wanted = lower_ascii(word);
  for (const auto& [other, ours] : synonyms) {
    const auto same = std::find(candidates.begin(), candidates.end(), ours);
    if (wanted == other && same != candidates.end()) return *same;
  }
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    const std::size_t distance = edit_distance(wanted, lower_ascii(candidate));
    const std::size_t length = std::max(word.size(), candidate.size());
    const std::size_t allowed = std::max<std::size_t>(1, length / 3);
    if (distance > allowed || distance >= length) continue;
    if (best && distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) { return lower_ascii(a) == lower_ascii(b); }

std::string loose_name(std::string_view name) {
  std::string loose;
  for (const char c : lower_ascii(name)) {
    if (c == '+') loose += 'p';
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
    if (kept) loose += c;
  }
  return loose;
}

std::string listed(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += '"' + names[i] + '"';
  }
  return text;
}

std::string guess(std::string_view word, std::span<const std::string> candidates) {
  const std::optional<std::string> meant = closest(word, candidates);
  return meant ? sentence(". Did you mean \"{}\"?", *meant) : "";
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string text = guess(word, candidates);
  return text.empty() ? "" : text.substr(1);
}

}  // namespace lapis::core
