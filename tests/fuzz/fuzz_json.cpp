#include <cstddef>
#include <cstdint>
#include <span>

#include "io/file/json_reader.hpp"
#include "lapis/error.hpp"

using namespace lapis::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const JsonSource source{"a.json", lapis::ErrorKind::input, "Correct it.", 1U << 20U};
  nlohmann::json document;
  try {
    document = parse_json({reinterpret_cast<const char*>(data), size}, source);
  } catch (const lapis::Error&) {
    return 0;  // the only exception a reader may end with
  }
  // What is read can be written, and that can be read.
  if (parse_json(document.dump(), {"b.json", lapis::ErrorKind::input, "", 8U << 20U}) != document) __builtin_trap();
  return 0;
}
