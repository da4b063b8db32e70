#include <cstddef>
#include <cstdint>
#include <span>

#include "io/json_reader.hpp"
#include "lapis/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const lapis::io::JsonSource source{"a.json", lapis::ErrorKind::input, "Correct it.", 1U << 20U};
    lapis::io::parse_json({reinterpret_cast<const char*>(data), size}, source);
  } catch (const lapis::Error&) {
    return 0;  // the only exception a reader may end with
  }
  return 0;
}
