#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "core/prompt/embedding_names.hpp"
#include "core/prompt/prompt_chunks.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/text/unicode.hpp"
#include "input.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/tokenizer_files.hpp"
#include "lapis/error.hpp"

using namespace lapis;

namespace {

// Of CPU; the longest prompt takes a hundredth of this where nothing is instrumented.
constexpr std::clock_t longest = 5 * CLOCKS_PER_SEC;

const std::vector<core::NamedIds>& embeddings() {
  static const std::vector<core::NamedIds> all = {
      {"a", {1}}, {"cat-toy", {1, 2, 3}}, {"<b>", std::vector<std::int64_t>(80, 4)}};
  return all;
}

std::vector<io::PromptTokenizer> tokenizers() {
  std::vector<io::PromptTokenizer> all;
  for (const auto& [name, facts] : io::read_model(test::models() / "tiny-flux").tokenizers) {
    all.push_back(io::read_tokenizer(facts));
  }
  return all;
}

/// Chunks are as long as their text encoder reads them, and there are no more of them than tokens ask for.
void check_chunks(const core::ChunkedPrompt& prompt, const core::ChunkFrame& frame, std::size_t breaks) {
  if (prompt.chunks.empty()) __builtin_trap();
  for (const TokenChunk& chunk : prompt.chunks) {
    if (chunk.ids.size() != frame.length || chunk.weights.size() != frame.length) __builtin_trap();
  }
  if (!frame.many && prompt.chunks.size() != 1) __builtin_trap();
  if (prompt.chunks.size() > prompt.count + breaks + 1) __builtin_trap();
}

void check(std::string_view text, PromptSyntax syntax) {
  static const std::vector<io::PromptTokenizer> all = tokenizers();
  std::vector<std::string> names;
  for (const core::NamedIds& embedding : embeddings()) names.push_back(embedding.name);
  const core::ParsedPrompt prompt = core::parse_prompt(text, syntax);
  if (prompt.segments.empty() || prompt.segments.size() > text.size() + 1) __builtin_trap();
  core::called_names(prompt, names, syntax);
  std::size_t breaks = 0;
  for (const core::PromptSegment& segment : prompt.segments) breaks += segment.breaks ? 1 : 0;
  for (const io::PromptTokenizer& tokenizer : all) {
    check_chunks(core::chunk_prompt(prompt, syntax, tokenizer.frame, tokenizer.tokens, embeddings()), tokenizer.frame,
                 breaks);
  }
}

}  // namespace

/// Prompts in each syntax, to the tokens of CLIP and T5. The first byte chooses the syntax; a second one of 128 and
/// more repeats the text up to the longest prompt, for what takes long is long.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (core::first_bad_utf8(text)) return 0;
  const std::size_t times = data[1] < 240 || text.empty() ? 1 : (std::size_t{1} << (data[1] % 16U));
  const std::string once = text;
  for (std::size_t i = 1; i < times && text.size() + once.size() <= core::longest_prompt; ++i) text += once;
  const auto rows = core::prompt_syntaxes();
  const std::clock_t start = std::clock();
  try {
    check(text, rows[data[0] % rows.size()].syntax);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) __builtin_trap();
  }
  if (std::clock() - start > longest) __builtin_trap();
  return 0;
}
