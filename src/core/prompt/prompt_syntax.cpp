#include "core/prompt/prompt_syntax.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/prompt/prompt_brackets.hpp"
#include "core/text/choice.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Plain text takes no weights: whoever writes (x:1.3) expects one.
ParsedPrompt parse_plain(std::string_view text) {
  ParsedPrompt parsed{{{std::string(text), 1, false}}, {}};
  std::size_t bracket = std::string_view::npos;  // the last one
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '(' || text[at] == ')') bracket = at;
    const bool inside = bracket != std::string_view::npos && text[bracket] == '(';
    if (text[at] != ':' || !inside || weight_end(text, at) == 0) continue;
    parsed.warnings.push_back(
        sentence("{}: brackets are no weights in plain prompts; {prompt_syntax} a1111 or comfy reads them",
                 place_text(text, bracket)));
    break;
  }
  return parsed;
}

}  // namespace

std::span<const PromptSyntaxRow> prompt_syntaxes() {
  static const std::array<PromptSyntaxRow, 3> rows = {{
      {PromptSyntax::plain, "plain", "plain"},
      {PromptSyntax::a1111, "a1111", "A1111"},
      {PromptSyntax::comfy, "comfy", "ComfyUI"},
  }};
  return rows;
}

const PromptSyntaxRow& find_prompt_syntax(std::string_view name) {
  for (const PromptSyntaxRow& row : prompt_syntaxes()) {
    if (equal_ignoring_case(row.name, name) || equal_ignoring_case(row.label, name)) return row;
  }
  refuse_word(field_name("prompt_syntax"), name, row_names(prompt_syntaxes()));
}

const std::string& prompt_syntax_name(PromptSyntax syntax) {
  const std::span<const PromptSyntaxRow> rows = prompt_syntaxes();
  return std::find_if(rows.begin(), rows.end(), [&](const PromptSyntaxRow& row) { return row.syntax == syntax; })->name;
}

std::string place_text(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t last_break = before.rfind('\n');
  const std::size_t line_begin = last_break == std::string_view::npos ? 0 : last_break + 1;
  const auto column = characters(before.substr(line_begin)) + 1;
  if (text.find('\n') == std::string_view::npos) return sentence("column {}", column);
  return sentence("line {}, column {}", std::count(before.begin(), before.end(), '\n') + 1, column);
}

void PromptWarnings::add(std::size_t offset, std::string_view warning) {
  if (warnings_.size() == most_prompt_warnings) {
    ++more_;
    return;
  }
  warnings_.push_back(sentence("{}: {}", place_text(text_, offset), warning));
}

std::vector<std::string> PromptWarnings::take() {
  if (more_ > 0) warnings_.push_back(sentence("and {} more warnings behind it", more_));
  return std::move(warnings_);
}

ParsedPrompt parse_prompt(std::string_view text, PromptSyntax syntax) {
  if (text.size() > longest_prompt) {
    throw Error(ErrorKind::usage,
                sentence("of {} bytes, is longer than the {} that are read; shorten it", text.size(), longest_prompt));
  }
  if (syntax == PromptSyntax::a1111) return parse_a1111(text);
  ParsedPrompt parsed = syntax == PromptSyntax::plain ? parse_plain(text) : parse_comfy(text);
  if (const std::size_t at = text.find("<lora:"); at != std::string_view::npos) {
    parsed.warnings.push_back(sentence(
        "{}: <lora:...> is text here; {prompt_syntax} a1111 applies it, and {loras} FILE does", place_text(text, at)));
  }
  return parsed;
}

}  // namespace lapis::core
