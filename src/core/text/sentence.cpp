#include "core/text/sentence.hpp"

#include <algorithm>
#include <fmt/args.h>
#include <fmt/format.h>

#include "core/text/names.hpp"

namespace lapis::core {

std::string sentence_of(std::string_view text, std::initializer_list<SentenceValue> values) {
  std::string format;
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find('{'), text.size());
    format += text.substr(0, brace);
    text.remove_prefix(brace);
    if (text.empty()) break;
    const bool is_doubled = text.starts_with("{{");
    const std::size_t end = is_doubled ? 2 : std::min(text.find('}'), text.size() - 1) + 1;
    format += is_doubled ? std::string(text.substr(0, end)) : marked(text.substr(0, end));
    text.remove_prefix(end);
  }
  fmt::dynamic_format_arg_store<fmt::format_context> arguments;
  for (const SentenceValue& each : values) {
    std::visit([&](const auto& value) { arguments.push_back(value); }, each.value());
  }
  return fmt::vformat(format, arguments);
}

std::string joined(std::span<const std::string> words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string shape_text(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace lapis::core
