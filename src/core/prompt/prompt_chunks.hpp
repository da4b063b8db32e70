// From a parsed prompt to the chunks that a text encoder reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/prompt/clip_tokenizer.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "lapis/prompt.hpp"

namespace lapis::core {

/// How a tokenizer frames what it gives to its text encoder.
struct ChunkFrame {
  std::size_t length = 77;  ///< tokens of a chunk, start and end included
  std::optional<std::int64_t> start;
  std::int64_t end = 0;
  std::int64_t pad = 0;
  std::optional<std::int64_t> comma;  ///< the token of "," as a word
  bool many = true;                   ///< false: all goes into one chunk, and what does not fit is cut
};

/// A name and the ids that stand for it in one tokenizer.
struct NamedIds {
  std::string name;
  std::vector<std::int64_t> ids;
};

/// Text to tokens, without start, end and pads.
using TokenizeText = std::function<std::vector<PromptToken>(std::string_view)>;

/// A prompt for one text encoder.
struct ChunkedPrompt {
  Tokens chunks;                     ///< at least one
  std::size_t count = 0;             ///< tokens of the whole prompt: no starts, ends and pads
  std::string cut;                   ///< what did not fit, decoded from its tokens; "" where all fits
  std::vector<std::string> unknown;  ///< names that the prompt calls and no embedding has
};

/// The frame of a CLIP tokenizer.
ChunkFrame clip_frame(const ClipTokenizer& tokenizer);

/// The frame of a T5 tokenizer: no start token, and one long chunk.
ChunkFrame t5_frame(const TokenizerFacts& facts);

/// Fills chunks with the prompt's tokens.
///   plain   one chunk; what is too long is cut, as diffusers does
///   a1111   chunks are filled up; where one is full and a comma lies within its last 20 tokens, what follows the comma
///           moves to the next one; an embedding is never cut in two; BREAK ends a chunk
///   comfy   segments and embeddings of fewer than 8 tokens are never cut in two, longer ones fill chunks up
/// What calls an embedding that is not among `embeddings` is text, or in syntax comfy unknown. An embedding of more
/// vectors than a chunk has room for throws Error{usage} in syntax a1111.
ChunkedPrompt chunk_prompt(const ParsedPrompt& prompt, PromptSyntax syntax, const ChunkFrame& frame,
                           const TokenizeText& tokenize, std::span<const NamedIds> embeddings = {});

/// The chunk of the empty prompt.
TokenChunk empty_chunk(const ChunkFrame& frame);

}  // namespace lapis::core
