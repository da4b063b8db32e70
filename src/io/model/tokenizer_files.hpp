// Tokenizers out of a model folder's files.
#pragma once

#include "core/prompt/clip_tokenizer.hpp"
#include "core/prompt/prompt_chunks.hpp"
#include "core/prompt/t5_tokenizer.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Reads vocab.json and merges.txt. Throws Error{model} if either is malformed.
core::ClipTokenizer read_clip_tokenizer(const TokenizerFacts& facts);

/// Reads a SentencePiece model. Throws Error{model} if it is none.
core::T5Tokenizer read_t5_tokenizer(const TokenizerFacts& facts);

/// How the prompts of a text encoder are cut into tokens and framed, by a tokenizer of either kind.
struct PromptTokenizer {
  core::ChunkFrame frame;
  core::TokenizeText tokens;
};

/// Reads the tokenizer of `facts`, of either kind. Throws Error{model} for files that are malformed.
PromptTokenizer read_tokenizer(const TokenizerFacts& facts);

}  // namespace lapis::io
