// The brackets of a prompt: from its text to weighted pieces of text. docs/prompts.md has the grammars.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/lora_calls.hpp"
#include "lapis/prompt.hpp"

namespace lapis::core {

/// One row per syntax.
struct PromptSyntaxRow {
  PromptSyntax syntax;
  std::string name;
  std::string label;  ///< as a settings text names it
};

/// All syntaxes, in the order in which messages list them.
std::span<const PromptSyntaxRow> prompt_syntaxes();

/// The row of this name. Throws Error{usage} with a suggestion where there is none.
const PromptSyntaxRow& find_prompt_syntax(std::string_view name);

/// "plain", "a1111" or "comfy".
const std::string& prompt_syntax_name(PromptSyntax syntax);

/// A run of text with one weight.
struct PromptSegment {
  std::string text;
  float weight = 1;
  bool breaks = false;  ///< a chunk ends before it (BREAK)

  bool operator==(const PromptSegment&) const = default;
};

/// A prompt without its brackets.
struct ParsedPrompt {
  std::vector<PromptSegment> segments;  ///< in order; at least one
  std::vector<std::string> warnings;    ///< "column 7: ( is not closed; ...", columns in characters, from 1
  std::vector<LoraCall> loras = {};     ///< of a1111, in order; no segment has their text
};

/// Reads `text` (valid UTF-8). Brackets that do not balance keep the meaning they have in the program the syntax comes
/// from, with a warning. Throws Error{usage}, with the column, for what would give another picture than asked for:
/// schedules and AND of a1111, for more than 200 brackets within each other, and for more than `longest_prompt` bytes.
///   plain   the text as it is
///   a1111   (x) 1.1, [x] 1 / 1.1, (x:W) W, weights multiply; \( \) \[ \] \\ are characters; BREAK ends a chunk;
///           <lora:NAME:W> calls a LoRA
///   comfy   (x) 1.1, (x:W) W whatever lies around it; \( \) are characters
ParsedPrompt parse_prompt(std::string_view text, PromptSyntax syntax);

/// "column 7": where the byte `offset` of `text` lies, in characters from 1; with its line where there are several.
std::string place_text(std::string_view text, std::size_t offset);

constexpr std::size_t deepest_brackets = 200;     ///< within each other
constexpr std::size_t longest_prompt = 50'000;    ///< bytes
constexpr std::size_t most_prompt_warnings = 20;  ///< of one prompt, each with its place

/// Collects warnings, each with its place in a text. Those beyond `most_prompt_warnings` are only counted: finding a
/// place takes as long as the text is.
class PromptWarnings {
 public:
  explicit PromptWarnings(std::string_view text) : text_(text) {}

  void add(std::size_t offset, std::string_view warning);

  /// What was added, with a last one that counts the rest.
  std::vector<std::string> take();

 private:
  std::string_view text_;
  std::vector<std::string> warnings_;
  std::size_t more_ = 0;
};

}  // namespace lapis::core
