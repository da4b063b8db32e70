#include "io/model/tokenizers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <utility>

namespace lapis::io {
namespace {

constexpr std::size_t most_kept = 8;

/// Of all files of a tokenizer; none where one is not there.
std::optional<std::vector<FileStamp>> stamps_of(const TokenizerFacts& facts) {
  std::vector<FileStamp> stamps;
  for (const std::filesystem::path& file : std::array{facts.vocabulary, facts.merges, facts.model}) {
    if (file.empty()) continue;
    const std::optional<FileStamp> stamp = stamp_of(file);
    if (!stamp) return std::nullopt;
    stamps.push_back(*stamp);
  }
  return stamps;
}

}  // namespace

std::shared_ptr<const PromptTokenizer> Tokenizers::of(const TokenizerFacts& facts) {
  std::optional<std::vector<FileStamp>> stamps = stamps_of(facts);
  const auto known = std::ranges::find(known_, facts, &Known::facts);
  if (known != known_.end()) {
    if (stamps && known->stamps == *stamps) {
      std::rotate(known, known + 1, known_.end());
      return known_.back().tokenizer;
    }
    known_.erase(known);
  }
  auto tokenizer = std::make_shared<const PromptTokenizer>(read_tokenizer(facts));
  if (!stamps || stamps_of(facts) != stamps) return tokenizer;  // it changed while it was read
  if (known_.size() == most_kept) known_.erase(known_.begin());
  known_.push_back({facts, std::move(*stamps), tokenizer});
  return tokenizer;
}

}  // namespace lapis::io
