// A job's prompts, from text to the tokens a model reads.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/prompt/prompt_chunks.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "io/checkpoint/embedding_files.hpp"
#include "io/model/tokenizers.hpp"
#include "lapis/attachments.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Prompt and negative for every tokenizer of a model, by its name. All of one kind of tokenizer have the same count of
/// chunks: shorter ones end in chunks of the empty prompt.
struct EncodedPrompts {
  std::map<std::string, core::ChunkedPrompt> prompt;
  std::map<std::string, core::ChunkedPrompt> negative;
  std::map<std::string, TokenChunk> empty;
};

/// Reads the prompts of a job. What can be refused is, by the constructor, before a tokenizer is read.
class PromptReader {
 public:
  /// Parses both prompts, and adds those of the job's embeddings that they call to `attachments`, their names to
  /// `job.embeddings`. `embeddings` as `find_embeddings` takes them. Throws as `core::parse_prompt`, `find_embeddings`
  /// and `add_embedding` do.
  PromptReader(const Model& model, Attachments& attachments, ResolvedJob& job,
               const std::vector<std::string>& embeddings);

  /// The tokens of both prompts, by the model's tokenizers out of `tokenizers`.
  EncodedPrompts encode(Tokenizers& tokenizers);

  /// The LoRAs that the prompt calls. Those of the negative prompt are left out, as the web UI does, with a warning.
  const std::vector<core::LoraCall>& loras() const { return prompt_.loras; }

  /// What the user should know of so far: brackets that do not balance, words that the model was
  /// not taught (one warning for all of both prompts), text that was cut, names that call nothing.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  core::ParsedPrompt parsed(const std::string& text, const std::string& which);
  void add_called(const std::vector<EmbeddingFile>& files, Attachments& attachments, ResolvedJob& job);
  void warn_of_words(const std::vector<EmbeddingFile>& files);
  core::ChunkedPrompt chunked(const core::ParsedPrompt& prompt, const PromptTokenizer& tokenizer,
                              const std::string& name, const std::string& which);

  const Model& model_;
  PromptSyntax syntax_;
  core::ParsedPrompt prompt_;
  core::ParsedPrompt negative_;
  std::map<std::string, std::vector<core::NamedIds>> embeddings_;  ///< by tokenizer
  std::vector<std::string> warnings_;
};

}  // namespace lapis::io
