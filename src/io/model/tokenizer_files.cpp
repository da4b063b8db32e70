#include "io/model/tokenizer_files.hpp"

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "io/file/json_reader.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t vocabulary_limit = 64 << 20;

/// Takes a vocabulary as it is parsed: the document of one with 49,408 tokens takes three times as long to build.
class VocabularyReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit VocabularyReader(std::size_t expected) { vocabulary_.reserve(expected); }

  core::Vocabulary take() { return std::move(vocabulary_); }

  bool start_object(std::size_t) override { return std::exchange(outside_, false); }
  bool end_object() override { return true; }
  bool key(string_t& token) override {
    const auto [place, is_new] = vocabulary_.emplace(std::move(token), 0);
    id_ = &place->second;
    return is_new;
  }
  bool number_unsigned(number_unsigned_t id) override {
    if (outside_ || id > std::uint64_t{std::numeric_limits<int>::max()}) return false;
    *id_ = static_cast<int>(id);
    return true;
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool string(string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  core::Vocabulary vocabulary_;
  int* id_ = nullptr;
  bool outside_ = true;
};

/// The vocabulary of a vocab.json, or nothing where it is not one: `explained` then says why.
std::optional<core::Vocabulary> quickly_read(std::string_view text) {
  constexpr std::size_t bytes_of_an_entry = 16;
  if (text.size() > vocabulary_limit || text.find('\0') != std::string_view::npos) return std::nullopt;
  VocabularyReader reader(text.size() / bytes_of_an_entry);
  if (!nlohmann::json::sax_parse(text, &reader)) return std::nullopt;
  return reader.take();
}

/// The vocabulary of a vocab.json, read slowly: where it is none, the error names what is wrong and where.
core::Vocabulary explained(std::string_view text, const JsonSource& source) {
  const nlohmann::json document = parse_json(text, source);
  core::Vocabulary vocabulary;
  for (const auto& [token, id] : JsonValue(document, source).members()) {
    vocabulary.emplace(token, static_cast<int>(id.integer(0, std::numeric_limits<int>::max())));
  }
  return vocabulary;
}

}  // namespace

core::ClipTokenizer read_clip_tokenizer(const TokenizerFacts& facts) {
  const MappedFile vocabulary_file(facts.vocabulary, ErrorKind::model);
  const MappedFile merges_file(facts.merges, ErrorKind::model);
  const JsonSource source{facts.vocabulary.string(), ErrorKind::model, "Restore the file, or export the model again.",
                          vocabulary_limit};
  const std::string_view text = as_chars(vocabulary_file.bytes());
  std::optional<core::Vocabulary> vocabulary = quickly_read(text);
  if (!vocabulary) vocabulary = explained(text, source);
  return core::ClipTokenizer(*vocabulary, as_chars(merges_file.bytes()), facts);
}

core::T5Tokenizer read_t5_tokenizer(const TokenizerFacts& facts) {
  const MappedFile file(facts.model, ErrorKind::model);
  return core::T5Tokenizer(as_chars(file.bytes()), facts);
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
