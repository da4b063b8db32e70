#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/embedding_names.hpp"
#include "core/prompt_syntax.hpp"
#include "core/unicode.hpp"
#include "lapis/error.hpp"

using namespace lapis;

/// The first byte chooses the syntax. No prompt may take more than its length in segments, or end in anything but
/// Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (core::first_bad_utf8(text)) return 0;
  const auto rows = core::prompt_syntaxes();
  const PromptSyntax syntax = rows[data[0] % rows.size()].syntax;
  const std::vector<std::string> names = {"a", "cat-toy", "<b>"};
  try {
    const core::ParsedPrompt prompt = core::parse_prompt(text, syntax);
    if (prompt.segments.empty() || prompt.segments.size() > text.size() + 1) __builtin_trap();
    core::called_names(prompt, names, syntax);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) __builtin_trap();
  }
  return 0;
}
