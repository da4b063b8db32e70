// Tokenizers out of a model folder's files.
#pragma once

#include <functional>
#include <string_view>

#include "core/clip_tokenizer.hpp"
#include "core/t5_tokenizer.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Reads vocab.json and merges.txt. Throws Error{model} if either is malformed.
core::ClipTokenizer read_clip_tokenizer(const TokenizerFacts& facts);

/// Reads a SentencePiece model. Throws Error{model} if it is none.
core::T5Tokenizer read_t5_tokenizer(const TokenizerFacts& facts);

/// A prompt's ids, by a tokenizer of either kind.
using TextTokenizer = std::function<core::Tokenized(std::string_view)>;

/// Reads the tokenizer of `facts`. Throws Error{model} as the two above do.
TextTokenizer read_tokenizer(const TokenizerFacts& facts);

}  // namespace lapis::io
