#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/picture/pixels.hpp"
#include "io/picture/exif.hpp"
#include "io/picture/picture_reader.hpp"
#include "lapis/error.hpp"

using namespace lapis;

namespace {

constexpr std::size_t marker_bytes = 4;  ///< with the two of the segment's length

/// The segments of a JPEG's header: tables, frame and scan, by where they begin.
std::vector<std::size_t> segments_of(std::span<const std::uint8_t> file) {
  std::vector<std::size_t> begins;
  for (std::size_t at = 2; at + marker_bytes <= file.size() && file[at] == 0xFF;) {
    begins.push_back(at);
    at += 2U + (static_cast<std::size_t>(file[at + 2]) << 8U | file[at + 3]);
  }
  return begins;
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

/// Half of the JPEGs change within one segment of their header, whose length stays right: what is changed anywhere is
/// mostly refused for its order.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  const std::vector<std::size_t> segments = segments_of({data, size});
  if (size < 2 || data[0] != 0xFF || data[1] != 0xD8 || segments.empty() || seed % 2 == 0) {
    return LLVMFuzzerMutate(data, size, most);
  }
  const std::size_t content = segments[seed / 2 % segments.size()] + marker_bytes;
  const std::size_t length = (static_cast<std::size_t>(data[content - 2]) << 8U | data[content - 1]);
  if (length <= 2 || content + length - 2 > size) return LLVMFuzzerMutate(data, size, most);
  std::vector<std::uint8_t> changed(data + content, data + content + length - 2);
  LLVMFuzzerMutate(changed.data(), changed.size(), changed.size());
  std::copy(changed.begin(), changed.end(), data + content);
  return size;
}

/// Every format, by the door that `generate -i` and `inspect` go through. The name lets a TGA be one, which has no
/// mark.
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
