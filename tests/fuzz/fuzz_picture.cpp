#include <cstddef>
#include <cstdint>
#include <span>

#include "core/pixels.hpp"
#include "io/exif.hpp"
#include "io/picture_reader.hpp"
#include "lapis/error.hpp"

using namespace lapis;

/// Every format, by the door that `generate -i` and `inspect` go through. The name lets a TGA be one, which has no mark.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t most_pixels = 1'000'000;  // larger pictures are only slow to read
  const auto file = std::as_bytes(std::span(data, size));
  io::exif_user_comment(file);
  try {
    const io::PictureFacts facts = io::read_picture_facts(file, "a.tga");
    if (io::pixel_count(facts) > most_pixels) return 0;
    const core::Pixels pixels = io::read_pixels(file, facts, "a.tga");
    if (pixels.width != facts.width || pixels.height != facts.height || pixels.channels != facts.channels) {
      __builtin_trap();
    }
    core::flattened(core::upright(pixels, facts.orientation), 255);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::device) __builtin_trap();
  }
  return 0;
}
