#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string>

#include "core/prompt/prompt_brackets.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr double bracket_weight = 1.1;
/// One byte of the prompt; a bracket with a backslash before it is one that opens and closes nothing.
struct Letter {
  char c;
  bool escaped;
};

using Letters = std::span<const Letter>;

bool is_bracket(const Letter& letter, char bracket) { return letter.c == bracket && !letter.escaped; }

std::string text_of(Letters letters) {
  std::string text;
  for (const Letter& letter : letters) text += letter.c;
  return text;
}

/// A finite number with blanks around it, and nothing else.
std::optional<double> finite_number(std::string_view text) {
  const std::size_t first = text.find_first_not_of(prompt_blanks);
  if (first == std::string_view::npos) return std::nullopt;
  text = text.substr(first, text.find_last_not_of(prompt_blanks) - first + 1);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || stop != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The end of the item that begins at `begin`: a group up to the bracket that brings the depth back to 0, or text up to
/// the next group. The depth goes on from item to item, and below 0 where a bracket closes nothing: groups are then
/// found one bracket later, as in ComfyUI.
std::size_t item_end(Letters letters, std::size_t begin, int& depth) {
  for (std::size_t i = begin; i < letters.size(); ++i) {
    if (is_bracket(letters[i], '(')) {
      if (depth == 0 && i > begin) return i;
      ++depth;
    } else if (is_bracket(letters[i], ')')) {
      --depth;
      if (depth == 0) return i + 1;
    }
  }
  return letters.size();
}

void read(Letters letters, double weight, std::vector<PromptSegment>& segments);

/// What lies between a group's brackets.
void read_group(Letters letters, double weight, std::vector<PromptSegment>& segments) {
  weight *= bracket_weight;
  std::size_t colon = letters.size();
  while (colon > 0 && letters[colon - 1].c != ':') --colon;
  if (colon > 1) {  // a colon that is not the first letter
    if (const std::optional<double> given = finite_number(text_of(letters.subspan(colon)))) {
      weight = *given;
      letters = letters.first(colon - 1);
    }
  }
  read(letters, weight, segments);
}

void read(Letters letters, double weight, std::vector<PromptSegment>& segments) {
  int depth = 0;
  for (std::size_t begin = 0; begin < letters.size();) {
    const std::size_t end = item_end(letters, begin, depth);
    const Letters item = letters.subspan(begin, end - begin);
    if (item.size() >= 2 && is_bracket(item.front(), '(') && is_bracket(item.back(), ')')) {
      read_group(item.subspan(1, item.size() - 2), weight, segments);
    } else {
      segments.push_back({text_of(item), static_cast<float>(weight), false});
    }
    begin = end;
  }
}

bool escapes(std::string_view text, std::size_t i) {
  return text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '(' || text[i + 1] == ')');
}

std::vector<std::string> balance_warnings(std::string_view text) {
  PromptWarnings warnings(text);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escapes(text, i)) {
      ++i;
    } else if (text[i] == '(') {
      if (open.size() == deepest_brackets) {
        throw Error(ErrorKind::usage, sentence("{}: more than {} brackets are open; close some before it",
                                               place_text(text, i), deepest_brackets));
      }
      open.push_back(i);
    } else if (text[i] == ')' && open.empty()) {
      warnings.add(i, "nothing is open for this ), and weights behind it may be lost; write \\) for the character");
    } else if (text[i] == ')') {
      open.pop_back();
    }
  }
  for (const std::size_t offset : open) {
    warnings.add(offset, "( is not closed, and weights behind it may be lost; write \\( for the character");
  }
  return warnings.take();
}

}  // namespace

ParsedPrompt parse_comfy(std::string_view text) {
  ParsedPrompt parsed;
  parsed.warnings = balance_warnings(text);
  std::vector<Letter> letters;
  letters.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = escapes(text, i);
    if (escaped) ++i;
    letters.push_back({text[i], escaped});
  }
  read(letters, 1, parsed.segments);
  if (parsed.segments.empty()) parsed.segments.push_back({"", 1, false});
  return parsed;
}

}  // namespace lapis::core
