// Where a prompt calls textual-inversion embeddings by name.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/prompt/prompt_syntax.hpp"
#include "lapis/prompt.hpp"

namespace lapis::core {

/// A piece of a prompt: text, or an embedding that is called there.
struct NamedPiece {
  std::string text;                      ///< of a name, as it was written
  std::optional<std::size_t> embedding;  ///< index into the names
};

/// Splits `text` at the names it calls; the ASCII case of names does not matter, the longest one wins. Pieces of blanks
/// alone are dropped.
///   plain   NAME as a word of its own, and <NAME> anywhere
///   a1111   NAME as a word of its own: no letter touches it at a letter's side, no sign at a sign's
///   comfy   embedding:NAME and embedding:NAME.safetensors at the beginning of a word; commas may follow
/// The name of each embedding:NAME that is not among `names` goes to `unknown`, and out of the prompt.
std::vector<NamedPiece> split_at_names(std::string_view text, std::span<const std::string> names, PromptSyntax syntax,
                                       std::vector<std::string>& unknown);

/// Indices of the names that `prompt` calls, each once, rising.
std::vector<std::size_t> called_names(const ParsedPrompt& prompt, std::span<const std::string> names,
                                      PromptSyntax syntax);

}  // namespace lapis::core
