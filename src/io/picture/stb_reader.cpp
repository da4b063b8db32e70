#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <stb/stb_image.h>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/picture/format_readers.hpp"

namespace lapis::io {
namespace {

/// Numbers of a file, smallest byte first.
class Bytes {
 public:
  Bytes(std::span<const std::byte> file, std::string format, const std::string& name)
      : file_(file), format_(std::move(format)), name_(name) {}

  std::uint32_t byte(std::size_t at) const { return number(at, 1); }
  std::uint32_t word(std::size_t at) const { return number(at, 2); }
  std::uint32_t number(std::size_t at, std::size_t count = 4) const {
    need(at, count);
    std::uint32_t value = 0;
    for (std::size_t i = count; i-- > 0;) value = value << 8U | std::to_integer<std::uint32_t>(file_[at + i]);
    return value;
  }

  void need(std::uint64_t at, std::uint64_t count) const {
    if (at > file_.size() || count > file_.size() - at) fail("it is cut short");
  }

  [[noreturn]] void fail(const std::string& reason) const { fail_damaged(format_, name_, reason); }
  [[noreturn]] void fail_palette() const { fail("a pixel has a colour that its palette lacks"); }

 private:
  std::span<const std::byte> file_;
  std::string format_;
  const std::string& name_;
};

struct BmpHeader {
  std::uint32_t size = 0;  ///< of the second header, which tells its kind
  std::uint32_t pixels = 0;
  std::uint32_t bits = 0;
  int width = 0;
  int height = 0;
  bool masked = false;
  std::array<int, 4> depths = {8, 8, 8, 8};  ///< bits of each channel

  std::uint64_t stride() const { return (std::uint64_t{bits} * static_cast<unsigned>(width) + 31) / 32 * 4; }
  std::uint32_t palette_entries() const { return (pixels - 14 - size) / 4; }
  /// The fourth byte of a pixel without masks means nothing; stb takes it for alpha.
  bool has_stray_byte() const { return bits == 32 && !masked; }
};

/// Whether a mask is one run of at most 8 bits, as a channel's is.
bool is_channel(std::uint32_t mask) {
  const int bits = std::popcount(mask);
  return bits >= 1 && bits <= 8 && (mask >> std::countr_zero(mask)) == (1U << bits) - 1U;
}

void read_masks(const Bytes& bytes, BmpHeader& header, const std::string& name) {
  std::uint32_t taken = 0;
  const std::uint32_t masks = header.size >= 108 ? 4 : 3;
  for (std::uint32_t i = 0; i < masks; ++i) {
    const std::uint32_t mask = bytes.number((header.size == 56 ? 70 : 54) + std::size_t{4} * i);
    if (i == 3 && mask == 0) continue;
    if (!is_channel(mask) || (mask & taken) != 0) fail_unread(name, "BMP of channels that are no bytes");
    taken |= mask;
    header.depths[i] = std::popcount(mask);
  }
}

/// What the header says, of the kinds that stb reads: a plain picture of 1, 4, 8, 16, 24 or 32 bits a pixel.
BmpHeader read_bmp_header(const Bytes& bytes, const std::string& name) {
  BmpHeader header;
  header.pixels = bytes.number(10);
  header.size = bytes.number(14);
  if (header.size != 40 && header.size != 56 && header.size != 108 && header.size != 124) {
    fail_unread(name, core::sentence("BMP with a header of {} bytes", header.size));
  }
  header.width = static_cast<int>(bytes.number(18));
  const auto height = static_cast<std::int32_t>(bytes.number(22));  // negative: rows from top to bottom
  if (header.width < 1 || height == 0 || height == std::numeric_limits<std::int32_t>::min()) {
    bytes.fail("it claims no pixels");
  }
  header.height = height < 0 ? -height : height;
  header.bits = bytes.word(28);
  const std::uint32_t packing = bytes.number(30);
  if (packing != 0 && packing != 3) fail_unread(name, "compressed BMP");
  header.masked = packing == 3;
  const std::uint32_t bits = header.bits;
  const bool words = bits == 16 || bits == 32;
  if (!words && bits != 1 && bits != 4 && bits != 8 && bits != 24) {
    fail_unread(name, core::sentence("BMP of {} bits a pixel", bits));
  }
  if (packing == 3 && !words) bytes.fail(core::sentence("its channels have masks, which {} bits have not", bits));
  const std::uint32_t behind = 14 + header.size + (packing == 3 && header.size < 108 ? 12 : 0);
  if (header.pixels < behind) bytes.fail("its pixels lie in its header");
  if (bits == 16) header.depths = {5, 5, 5, 8};
  if (packing == 3) read_masks(bytes, header, name);
  if (bits <= 8 && (header.palette_entries() < 1 || header.palette_entries() > 256)) {
    bytes.fail(core::sentence("its palette has {} colours", header.palette_entries()));
  }
  bytes.need(header.pixels, header.stride() * static_cast<unsigned>(header.height));
  return header;
}

/// stb leaves the colours that a palette lacks to chance.
void check_bmp_palette(const Bytes& bytes, const BmpHeader& header) {
  if (header.bits > 8) return;
  const std::uint32_t colours = header.palette_entries();
  if (colours >= 1U << header.bits) return;
  for (std::uint64_t y = 0; y < static_cast<unsigned>(header.height); ++y) {
    for (std::uint64_t x = 0; x < static_cast<unsigned>(header.width); ++x) {
      const std::uint64_t bit = x * header.bits;
      const std::uint32_t byte = bytes.byte(header.pixels + y * header.stride() + bit / 8);
      const std::uint32_t index = byte >> (8 - header.bits - bit % 8) & ((1U << header.bits) - 1U);
      if (index >= colours) bytes.fail_palette();
    }
  }
}

struct TgaHeader {
  bool indexed = false;
  bool packed = false;
  std::uint32_t colours = 0;
  std::uint32_t pixel_bytes = 0;
  std::uint64_t pixels = 0;  ///< offset
  std::uint64_t count = 0;
};

/// Refuses `bits`, of a pixel or of a colour in the palette, that no reader takes.
void check_tga_bits(std::uint32_t bits, const std::string& name) {
  if (bits == 8 || bits == 15 || bits == 16 || bits == 24 || bits == 32) return;
  fail_unread(name, core::sentence("TGA of {} bits a pixel", bits));
}

TgaHeader read_tga_header(const Bytes& bytes, const std::string& name) {
  TgaHeader header;
  const std::uint32_t kind = bytes.byte(2);
  header.indexed = bytes.byte(1) == 1;
  header.packed = kind >= 8;
  const std::uint32_t colour = kind & 7U;
  if (bytes.byte(1) > 1 || kind > 11 || (header.indexed ? colour != 1 : colour != 2 && colour != 3)) {
    fail_unread(name, core::sentence("TGA of kind {} with palette {}", kind, bytes.byte(1)));
  }
  const std::uint32_t bits = bytes.byte(16);
  check_tga_bits(bits, name);
  header.pixel_bytes = (bits + 7) / 8;
  header.pixels = 18 + bytes.byte(0);
  header.count = std::uint64_t{bytes.word(12)} * bytes.word(14);
  if (bytes.byte(17) >> 6U != 0) fail_unread(name, "TGA of interleaved rows");
  if (!header.indexed) {
    if (bytes.word(5) != 0) fail_unread(name, "TGA with a palette that it does not use");
    return header;
  }
  header.colours = bytes.word(5);
  check_tga_bits(bytes.byte(7), name);
  if (bits > 16 || bits == 15) fail_unread(name, core::sentence("TGA of indices of {} bits", bits));
  if (bytes.word(3) != 0) fail_unread(name, "TGA whose palette does not begin at its first colour");
  header.pixels += std::uint64_t{header.colours} * ((bytes.byte(7) + 7) / 8);
  return header;
}

/// Walks the pixels, in runs or one by one. stb reads an index that the palette lacks as the first colour, and goes on
/// behind the end of the file.
void check_tga_pixels(const Bytes& bytes, const TgaHeader& header) {
  const auto check = [&](std::uint64_t at) {
    bytes.need(at, header.pixel_bytes);
    if (header.indexed && bytes.number(at, header.pixel_bytes) >= header.colours) bytes.fail_palette();
  };
  std::uint64_t at = header.pixels;
  if (!header.packed) {
    bytes.need(at, header.count * header.pixel_bytes);
    for (std::uint64_t i = 0; header.indexed && i < header.count; ++i) check(at + i * header.pixel_bytes);
    return;
  }
  for (std::uint64_t done = 0; done < header.count;) {
    const std::uint32_t command = bytes.byte(at++);
    const std::uint64_t run = (command & 127U) + 1;
    const std::uint64_t stored = command > 127 ? 1 : std::min(run, header.count - done);
    for (std::uint64_t i = 0; i < stored; ++i, at += header.pixel_bytes) check(at);
    done += run;
  }
}

struct Free {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

/// What stb says of sides and channels. Its pixels and their copy will be in memory at one time.
PictureFacts facts_by_stb(const std::string& format, std::span<const std::byte> file, const std::string& name) {
  PictureFacts facts{.format = format};
  const auto* bytes = reinterpret_cast<const stbi_uc*>(file.data());
  const auto size = static_cast<int>(file.size());
  if (stbi_info_from_memory(bytes, size, &facts.width, &facts.height, &facts.channels) == 0) {
    fail_damaged(format, name, stbi_failure_reason());
  }
  facts.memory = pixel_count(facts) * static_cast<std::uint64_t>(facts.channels) * 2;
  return facts;
}

/// A sample of fewer than 8 bits as Pillow widens it; stb repeats its bits, which is one level off at most.
std::uint8_t widened(stbi_uc sample, int depth) {
  const int most = (1 << depth) - 1;
  return static_cast<std::uint8_t>((sample >> (8 - depth)) * 255 / most);
}

}  // namespace

PictureFacts read_bmp_facts(std::span<const std::byte> file, const std::string& name) {
  const BmpHeader header = read_bmp_header({file, "BMP", name}, name);
  PictureFacts facts = facts_by_stb("BMP", file, name);
  facts.height = header.height;  // without the sign
  if (header.has_stray_byte()) facts.channels = 3;
  facts.memory = pixel_count(facts) * 8;
  return facts;
}

PictureFacts read_tga_facts(std::span<const std::byte> file, const std::string& name) {
  const Bytes bytes(file, "TGA", name);
  const TgaHeader header = read_tga_header(bytes, name);
  if (header.count == 0) bytes.fail("it claims no pixels");
  PictureFacts facts = facts_by_stb("TGA", file, name);
  if (!header.packed) bytes.need(header.pixels, header.count * header.pixel_bytes);
  return facts;
}

core::Pixels read_by_stb(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  const Bytes bytes(file, facts.format, name);
  const bool tga = facts.format == "TGA";
  std::size_t stray = 0;
  std::array<int, 4> depths = {8, 8, 8, 8};
  if (tga) {
    check_tga_pixels(bytes, read_tga_header(bytes, name));
  } else {
    const BmpHeader header = read_bmp_header(bytes, name);
    check_bmp_palette(bytes, header);
    stray = header.has_stray_byte() ? 1 : 0;
    depths = header.depths;
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, Free> pixels(stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(file.data()),
                                                                    static_cast<int>(file.size()), &width, &height,
                                                                    &channels, /*desired_channels=*/0));
  if (!pixels) fail_damaged(facts.format, name, stbi_failure_reason());
  const auto kept = static_cast<std::size_t>(facts.channels);
  if (width != facts.width || height != facts.height || static_cast<std::size_t>(channels) != kept + stray) {
    bytes.fail("it names two sizes");
  }
  core::Pixels result = core::make_pixels(width, height, facts.channels);
  const stbi_uc* from = pixels.get();
  for (std::size_t to = 0; to < result.bytes.size(); to += kept, from += kept + stray) {
    for (std::size_t c = 0; c < kept; ++c) result.bytes[to + c] = widened(from[c], depths[c]);
  }
  constexpr std::uint32_t right_to_left = 16;
  constexpr int mirrored = 2;
  return tga && (bytes.byte(17) & right_to_left) != 0 ? core::upright(std::move(result), mirrored) : result;
}

}  // namespace lapis::io
