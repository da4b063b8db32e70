#include <cstddef>
#include <cstdint>
#include <span>

#include "io/picture_reader.hpp"
#include "lapis/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr int most_pixels = 1'000'000;  // larger pictures are only slow to read
  try {
    const auto file = std::as_bytes(std::span(data, size));
    const lapis::io::PictureFacts facts = lapis::io::read_picture_facts(file, "a.tga");
    if (std::int64_t{facts.width} * facts.height <= most_pixels) lapis::io::read_pixels(file, facts, "a.tga");
  } catch (const lapis::Error&) {
    return 0;  // the only exception a reader may end with
  }
  return 0;
}
