#include "io/prompt/prompt_reader.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "core/family/families.hpp"
#include "core/prompt/embedding_names.hpp"
#include "core/prompt/prompt_words.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t most_chunks_read = 100;
constexpr std::size_t most_words_named = 10;    ///< of those that a model does not know; the others are counted
constexpr std::size_t longest_word_named = 40;  ///< bytes
constexpr const char* positive = "prompt";
constexpr const char* negative = "negative prompt";

/// Chunks of the longest prompt, as the tokenizers of this kind cut it.
std::size_t most_chunks(const EncodedPrompts& encoded, const Model& model, TokenizerKind kind) {
  std::size_t most = 0;
  for (const auto* side : {&encoded.prompt, &encoded.negative}) {
    for (const auto& [name, chunked] : *side) {
      if (model.tokenizers.at(name).kind == kind) most = std::max(most, chunked.chunks.size());
    }
  }
  return most;
}

/// What names a model on a command line: its name where its folder has that, else the folder.
std::string word_for(const Model& model) {
  return core::shell_word(model.folder.filename() == model.name ? model.name : model.folder.string());
}

}  // namespace

PromptReader::PromptReader(const Model& model, Attachments& attachments, ResolvedJob& job,
                           const std::vector<std::string>& embeddings)
    : model_(model), syntax_(job.prompt_syntax) {
  const std::vector<EmbeddingFile> files = find_embeddings(embeddings);
  prompt_ = parsed(job.prompt, positive);
  negative_ = parsed(job.negative_prompt, negative);
  if (!negative_.loras.empty()) {
    const core::LoraCall& call = negative_.loras.front();
    warnings_.push_back(core::sentence("the negative prompt calls {}, which counts in the prompt alone; it is left out",
                                       core::lora_tag(call.name, call.weight)));
  }
  add_called(files, attachments, job);
  warn_of_words(files);
}

core::ParsedPrompt PromptReader::parsed(const std::string& text, const std::string& which) {
  try {
    core::ParsedPrompt prompt = core::parse_prompt(text, syntax_);
    for (const std::string& warning : prompt.warnings)
      warnings_.push_back(core::sentence("the {}, {}", which, warning));
    return prompt;
  } catch (const Error& error) {
    throw Error(error.kind(), core::sentence("the {}, {}", which, error.marked_problem()), error.marked_advice());
  }
}

void PromptReader::add_called(const std::vector<EmbeddingFile>& files, Attachments& attachments, ResolvedJob& job) {
  const std::vector<std::string> names = core::row_names(files);
  std::set<std::size_t> called;
  for (const core::ParsedPrompt* prompt : {&prompt_, &negative_}) {
    for (const std::size_t i : core::called_names(*prompt, names, syntax_)) called.insert(i);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (called.contains(i)) {
      for (auto& [tokenizer, ids] : add_embedding(model_, attachments, files[i])) {
        embeddings_[tokenizer].push_back(std::move(ids));
      }
      job.embeddings.push_back(files[i].name);
    } else if (files[i].asked) {
      check_embedding(files[i]);
      warnings_.push_back(core::sentence("no prompt calls the embedding {}; write {}{} where it shall stand",
                                         files[i].name, syntax_ == PromptSyntax::comfy ? "embedding:" : "",
                                         files[i].name));
    }
  }
}

void PromptReader::warn_of_words(const std::vector<EmbeddingFile>& files) {
  if (!model_.taught) return;
  const std::array<const core::ParsedPrompt*, 2> prompts = {&prompt_, &negative_};
  std::vector<std::string> words = core::unknown_words(prompts, syntax_, core::row_names(files), model_.taught->words);
  if (words.empty()) return;
  const std::size_t more = words.size() > most_words_named ? words.size() - most_words_named : 0;
  words.resize(words.size() - more);
  for (std::string& word : words) word = printable(word, longest_word_named);
  warnings_.push_back(core::sentence("{} was taught {}; it does not know: {}{}; see {lapis inspect} {}", model_.name,
                                     model_.taught->subjects, core::joined(words),
                                     more > 0 ? core::sentence(" and {} more", more) : "", word_for(model_)));
}

EncodedPrompts PromptReader::encode(Tokenizers& tokenizers) {
  EncodedPrompts encoded;
  for (const auto& [name, facts] : model_.tokenizers) {
    const std::shared_ptr<const PromptTokenizer> tokenizer = tokenizers.of(facts);
    encoded.prompt[name] = chunked(prompt_, *tokenizer, name, positive);
    encoded.negative[name] = chunked(negative_, *tokenizer, name, negative);
    encoded.empty[name] = core::empty_chunk(tokenizer->frame);
  }
  for (const auto& [name, facts] : model_.tokenizers) {
    const std::size_t most = most_chunks(encoded, model_, facts.kind);
    if (most > most_chunks_read) {
      throw Error(ErrorKind::usage,
                  core::sentence("a prompt has {} chunks of tokens, and at most {} are read; shorten it", most,
                                 most_chunks_read));
    }
    for (auto* side : {&encoded.prompt, &encoded.negative}) side->at(name).chunks.resize(most, encoded.empty.at(name));
  }
  return encoded;
}

core::ChunkedPrompt PromptReader::chunked(const core::ParsedPrompt& prompt, const PromptTokenizer& tokenizer,
                                          const std::string& name, const std::string& which) {
  core::ChunkedPrompt result =
      core::chunk_prompt(prompt, syntax_, tokenizer.frame, tokenizer.tokens, embeddings_[name]);
  const auto warn = [&](const std::string& text) {
    if (std::find(warnings_.begin(), warnings_.end(), text) == warnings_.end()) warnings_.push_back(text);
  };
  if (!result.cut.empty()) {
    const TokenizerFacts& facts = model_.tokenizers.at(name);
    warn(core::sentence("the {} has {} tokens and this model's {} text encoder reads {}; cut off: \"{}\"", which,
                        result.count, core::tokenizer_kind_name(facts.kind), core::prompt_tokens(facts), result.cut));
  }
  for (const std::string& call : result.unknown) {
    warn(core::sentence("the {} calls the embedding {}, which no {embeddings} gives; it is left out of the prompt",
                        which, in_quotes(call)));
  }
  return result;
}

}  // namespace lapis::io
