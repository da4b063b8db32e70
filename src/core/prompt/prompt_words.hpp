// The words of prompts, held against those that a model was taught.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/prompt/prompt_syntax.hpp"
#include "lapis/prompt.hpp"

namespace lapis::core {

/// The words of `text` (valid UTF-8), in order: the longest runs of letters and digits of any script in its
/// `clip_normalized` form, each with the marks that follow its letters. All else separates words: "Don't, a 4-leaf
/// Caf\u00E9" has don, t, a, 4, leaf, caf\u00E9.
std::vector<std::string> prompt_words(std::string_view text);

/// The words of `prompts` that are not among `known` (words as `prompt_words` gives them), each once, in the order in
/// which they appear. Weights and calls of LoRAs are none, as the prompts were parsed; nor are names of `embeddings`
/// and of others that `syntax` calls as such.
std::vector<std::string> unknown_words(std::span<const ParsedPrompt* const> prompts, PromptSyntax syntax,
                                       std::span<const std::string> embeddings, std::span<const std::string> known);

}  // namespace lapis::core
