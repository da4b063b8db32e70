// Prompt -> token ids for T5 text encoders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/prompt/clip_tokenizer.hpp"
#include "lapis/model.hpp"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace lapis::core {

/// SentencePiece's unigram segmentation (Kudo 2018, "Subword Regularization: Improving Neural Network Translation
/// Models with Multiple Subword Candidates") by libsentencepiece, with the model file's own normalizer. Ids equal those
/// of T5Tokenizer of Hugging Face transformers 5, but for one thing: where a letter, its combining marks and joiners
/// are 6 bytes or more in UTF-8, transformers does not compose them, SentencePiece, and so T5's training, does.
/// Immutable; may be shared between threads.
class T5Tokenizer {
 public:
  /// `model` is the content of a SentencePiece model file. Throws Error{model} where it is none, where `facts.end` or
  /// `facts.pad` is no id of it, or `facts.length` has no room for a prompt.
  T5Tokenizer(std::string_view model, const TokenizerFacts& facts);
  ~T5Tokenizer();
  T5Tokenizer(T5Tokenizer&&) noexcept;
  T5Tokenizer& operator=(T5Tokenizer&&) noexcept;

  /// `prompt` is valid UTF-8. The end, pad and unknown tokens and `<extra_id_N>`, written out in the prompt exactly
  /// (`</s>`), become their ids. A prompt too long is cut after `length - 1` tokens; the last of the ids is then the
  /// end token. `cut` is the end of the prompt as it was typed.
  Tokenized encode(std::string_view prompt) const;

  /// The tokens of `text` alone, each with what was typed for it and the blank before: no end or pads, nothing cut.
  std::vector<PromptToken> tokens(std::string_view text) const;

 private:
  void append_text(std::string_view text, std::vector<PromptToken>& tokens) const;

  TokenizerFacts facts_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::vector<std::pair<std::string, std::int64_t>> specials_;  ///< text and id, the longest text first
};

}  // namespace lapis::core
