#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text/unicode.hpp"
#include "io/picture/infotext.hpp"

using namespace lapis::core;
using namespace lapis::io;

/// Any text at all is read; and what lapis writes is read back, whatever the values are: those of three of its keys,
/// between which a line break stands.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  parse_infotext(text);
  if (first_bad_utf8(text)) return 0;
  Infotext infotext;
  for (const char* key : {"Steps", "Model", "Lora hashes"}) {
    const std::string_view value = text.substr(0, text.find('\n'));
    infotext.settings.emplace_back(key, value);
    text.remove_prefix(std::min(value.size() + 1, text.size()));
  }
  if (parse_infotext(write_infotext(infotext)) != infotext) __builtin_trap();
  return 0;
}
