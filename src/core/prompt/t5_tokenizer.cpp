#include "core/prompt/t5_tokenizer.hpp"

#include <algorithm>
#include <sentencepiece_processor.h>
#include <span>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view next_line = "\xC2\x85";  // U+0085, a blank to transformers and unknown to SentencePiece

}  // namespace

T5Tokenizer::T5Tokenizer(std::string_view model, const TokenizerFacts& facts)
    : facts_(facts), processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  const sentencepiece::util::Status status = processor_->LoadFromSerializedProto(model);
  if (model.empty() || !status.ok()) {
    throw Error(ErrorKind::model,
                sentence("{} is no SentencePiece model: {}.", facts.model.string(),
                         model.empty() ? "it is empty" : status.message()),
                "Restore the file, or export the model again.");
  }
  if (facts.length < 2) {
    throw Error(ErrorKind::model,
                sentence("the tokenizer's length is {}; one token and end need at least 2", facts.length));
  }
  const int pieces = processor_->GetPieceSize();
  for (const int id : {facts.end, facts.pad}) {
    if (id < 0 || id >= pieces) {
      throw Error(ErrorKind::model, sentence("the tokenizer's special id {} is not among the {} pieces of {}", id,
                                             pieces, facts.model.string()));
    }
  }
  for (const int id : {facts.end, facts.pad, processor_->unk_id()}) {
    if (id >= 0) specials_.emplace_back(processor_->IdToPiece(id), id);
  }
  for (int i = 0; i < facts.extra_ids; ++i) {
    specials_.emplace_back("<extra_id_" + std::to_string(i) + ">", pieces + facts.extra_ids - 1 - i);
  }
  std::sort(specials_.begin(), specials_.end(),
            [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

T5Tokenizer::~T5Tokenizer() = default;
T5Tokenizer::T5Tokenizer(T5Tokenizer&&) noexcept = default;
T5Tokenizer& T5Tokenizer::operator=(T5Tokenizer&&) noexcept = default;

std::vector<PromptToken> T5Tokenizer::tokens(std::string_view prompt) const {
  std::vector<PromptToken> tokens;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < prompt.size();) {
    const auto special = std::find_if(specials_.begin(), specials_.end(),
                                      [&](const auto& row) { return prompt.substr(i).starts_with(row.first); });
    if (special == specials_.end()) {
      ++i;
      continue;
    }
    append_text(prompt.substr(begin, i - begin), tokens);
    tokens.push_back({special->second, special->first});
    i += special->first.size();
    begin = i;
  }
  append_text(prompt.substr(begin), tokens);
  return tokens;
}

Tokenized T5Tokenizer::encode(std::string_view prompt) const {
  const std::vector<PromptToken> tokens = this->tokens(prompt);
  Tokenized result;
  result.count = tokens.size();
  const auto length = static_cast<std::size_t>(facts_.length);
  const std::size_t kept = std::min(tokens.size(), length - 1);
  result.ids.reserve(length);
  for (std::size_t i = 0; i < kept; ++i) result.ids.push_back(tokens[i].id);
  result.ids.push_back(facts_.end);
  result.ids.resize(length, facts_.pad);
  result.cut = decoded(std::span(tokens).subspan(kept));
  return result;
}

void T5Tokenizer::append_text(std::string_view text, std::vector<PromptToken>& tokens) const {
  std::string typed(text);
  for (std::size_t at = typed.find(next_line); at != std::string::npos; at = typed.find(next_line, at)) {
    typed.replace(at, next_line.size(), " ");
  }
  const sentencepiece::ImmutableSentencePieceText pieces = processor_->EncodeAsImmutableProto(typed);
  for (const auto& piece : pieces.pieces()) tokens.push_back({piece.id(), piece.surface()});
}

}  // namespace lapis::core
