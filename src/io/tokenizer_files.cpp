#include "io/tokenizer_files.hpp"

#include <limits>
#include <memory>
#include <string_view>

#include "io/json_reader.hpp"
#include "io/mapped_file.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t vocabulary_limit = 64 << 20;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace

core::ClipTokenizer read_clip_tokenizer(const TokenizerFacts& facts) {
  const MappedFile vocabulary_file(facts.vocabulary, ErrorKind::model);
  const MappedFile merges_file(facts.merges, ErrorKind::model);
  const JsonSource source{facts.vocabulary.string(), ErrorKind::model, "Restore the file, or export the model again.",
                          vocabulary_limit};
  const nlohmann::json document = parse_json(text_of(vocabulary_file), source);
  core::Vocabulary vocabulary;
  for (const auto& [token, id] : JsonValue(document, source).members()) {
    vocabulary.emplace(token, static_cast<int>(id.integer(0, std::numeric_limits<int>::max())));
  }
  return core::ClipTokenizer(vocabulary, text_of(merges_file), facts);
}

core::T5Tokenizer read_t5_tokenizer(const TokenizerFacts& facts) {
  const MappedFile file(facts.model, ErrorKind::model);
  return core::T5Tokenizer(text_of(file), facts);
}

PromptTokenizer read_tokenizer(const TokenizerFacts& facts) {
  // Shared, since a std::function must be copyable and a T5Tokenizer is not.
  switch (facts.kind) {
    case TokenizerKind::clip: {
      const auto clip = std::make_shared<const core::ClipTokenizer>(read_clip_tokenizer(facts));
      return {core::clip_frame(*clip), [clip](std::string_view text) { return clip->tokens(text); }};
    }
    case TokenizerKind::t5: {
      const auto t5 = std::make_shared<const core::T5Tokenizer>(read_t5_tokenizer(facts));
      return {core::t5_frame(facts), [t5](std::string_view text) { return t5->tokens(text); }};
    }
  }
  throw Error(ErrorKind::internal, "unknown kind of tokenizer");
}

}  // namespace lapis::io
