#include <cstddef>
#include <cstdint>
#include <span>

#include "io/picture/png.hpp"
#include "lapis/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    lapis::io::read_png_text(std::as_bytes(std::span(data, size)), "a.png");
  } catch (const lapis::Error&) {
    return 0;  // the only exception a reader may end with
  }
  return 0;
}
