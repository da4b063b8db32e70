// Tokenizers out of a model folder's files.
#pragma once

#include "core/clip_tokenizer.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Reads vocab.json and merges.txt. Throws Error{model} if either is malformed.
core::ClipTokenizer read_clip_tokenizer(const TokenizerFacts& facts);

}  // namespace lapis::io
