// Prompt -> token ids for CLIP text encoders.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lapis/model.hpp"

namespace lapis::core {

/// Token text -> id: the content of a vocab.json.
using Vocabulary = std::unordered_map<std::string, int>;

/// A token of a prompt.
struct PromptToken {
  std::int64_t id = 0;
  std::string text;  ///< what it decodes to
};

/// What tokens decode to, as transformers shows it: bytes that are no UTF-8 become U+FFFD, blanks around it go.
std::string decoded(std::span<const PromptToken> tokens);

/// One prompt as a text encoder takes it.
struct Tokenized {
  std::vector<std::int64_t> ids;  ///< `TokenizerFacts::length` of them: start, the prompt, end, then pads
  std::size_t count = 0;          ///< tokens of the whole prompt, start and end not counted
  std::string cut;                ///< the end of the prompt that did not fit, decoded from its tokens; "" if all fits
};

/// Byte-level byte-pair encoding of CLIP (Radford et al. 2021, "Learning Transferable Visual Models From Natural
/// Language Supervision"; the algorithm of Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword
/// Units"). Ids equal those of the fast CLIPTokenizer of Hugging Face transformers 5, up to the Unicode version: ICU's
/// tables decide what a letter is. Immutable; may be shared between threads.
class ClipTokenizer {
 public:
  /// `vocabulary` is the content of vocab.json, `merges` the text of merges.txt: after an optional "#version" line, a
  /// pair of tokens a line, the first merged first. Throws Error{model} where a line is no pair, a pair or what it
  /// merges to is not in the vocabulary, a special id of `facts` is not, or `facts.length` has no room for a prompt.
  ClipTokenizer(const Vocabulary& vocabulary, std::string_view merges, const TokenizerFacts& facts);

  /// `prompt` is valid UTF-8. The start, end and pad tokens of the vocabulary, written out in the prompt exactly
  /// (`<|endoftext|>`), become their ids. A prompt too long is cut after `length - 2` tokens.
  Tokenized encode(std::string_view prompt) const;

  /// The tokens of `text` alone: no start, end or pads, nothing cut.
  std::vector<PromptToken> tokens(std::string_view text) const;

  const TokenizerFacts& facts() const { return facts_; }

 private:
  struct Merge {
    std::uint32_t rank;  ///< its line in merges.txt, the lowest merged first
    int id;
  };
  struct Special {
    std::string text;
    int id;
  };

  void read_specials(const Vocabulary& vocabulary);
  void read_bytes(const Vocabulary& vocabulary);
  void read_merges(const Vocabulary& vocabulary, std::string_view merges);
  const Merge* find_merge(int left, int right) const;
  const Special* special_at(std::string_view text) const;
  void append_text(std::string_view text, std::vector<PromptToken>& tokens) const;
  void append_piece(std::string_view piece, std::vector<PromptToken>& tokens) const;

  TokenizerFacts facts_;
  std::vector<Special> specials_;                    ///< start, end, pad: each id once
  std::array<int, 256> byte_ids_{};                  ///< of a byte inside a piece
  std::array<int, 256> last_byte_ids_{};             ///< of the last byte of a piece, `</w>` included
  std::unordered_map<std::uint64_t, Merge> merges_;  ///< key: left id, right id, 32 bits each
};

}  // namespace lapis::core
