// Tokenizers out of a model folder's files.
#pragma once

#include <string_view>

#include "core/clip_tokenizer.hpp"
#include "core/t5_tokenizer.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Reads vocab.json and merges.txt. Throws Error{model} if either is malformed.
core::ClipTokenizer read_clip_tokenizer(const TokenizerFacts& facts);

/// Reads a SentencePiece model. Throws Error{model} if it is none.
core::T5Tokenizer read_t5_tokenizer(const TokenizerFacts& facts);

/// `text` through the tokenizer of either kind. Throws as reading it does.
core::Tokenized tokenize(const TokenizerFacts& facts, std::string_view text);

}  // namespace lapis::io
