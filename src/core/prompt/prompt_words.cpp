#include "core/prompt/prompt_words.hpp"

#include <cstddef>
#include <cstdint>
#include <unicode/uchar.h>
#include <unordered_set>
#include <utility>

#include "core/prompt/clip_pieces.hpp"
#include "core/prompt/embedding_names.hpp"

namespace lapis::core {
namespace {

bool begins_word(char32_t c) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_L_MASK | U_GC_N_MASK)) != 0; }

bool goes_on_with_word(char32_t c) { return begins_word(c) || (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK); }

}  // namespace

std::vector<std::string> prompt_words(std::string_view text) {
  const std::u32string whole = clip_normalized(text);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < whole.size();) {
    if (!begins_word(whole[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < whole.size() && goes_on_with_word(whole[at])) ++at;
    words.push_back(utf8_of(std::u32string_view(whole).substr(begin, at - begin)));
  }
  return words;
}

std::vector<std::string> unknown_words(std::span<const ParsedPrompt* const> prompts, PromptSyntax syntax,
                                       std::span<const std::string> embeddings, std::span<const std::string> known) {
  std::unordered_set<std::string> met(known.begin(), known.end());
  std::vector<std::string> unknown;
  std::vector<std::string> no_embeddings;  // names that are called, and out of the prompt
  for (const ParsedPrompt* prompt : prompts) {
    for (const PromptSegment& segment : prompt->segments) {
      for (const NamedPiece& piece : split_at_names(segment.text, embeddings, syntax, no_embeddings)) {
        if (piece.embedding) continue;
        for (std::string& word : prompt_words(piece.text)) {
          if (met.insert(word).second) unknown.push_back(std::move(word));
        }
      }
    }
  }
  return unknown;
}

}  // namespace lapis::core
