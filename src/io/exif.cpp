#include "io/exif.hpp"

#include <cstdint>
#include <string_view>

namespace lapis::io {
namespace {

constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";
constexpr std::string_view exif_mark{"Exif\0\0", 6};
constexpr std::uint32_t orientation_tag = 0x0112;
constexpr std::uint32_t short_type = 3;

/// An unsigned number of `count` bytes at `offset`; 0 beyond the end.
std::uint32_t number_at(std::string_view bytes, std::size_t offset, std::size_t count, bool little) {
  if (offset > bytes.size() || bytes.size() - offset < count) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = little ? count - 1 - i : i;
    value = (value << 8U) | static_cast<unsigned char>(bytes[offset + at]);
  }
  return value;
}

/// The orientation in a TIFF header and its first directory (Exif 2.3, section 4.5).
int tiff_orientation(std::string_view tiff) {
  const bool little = tiff.starts_with("II");
  if (!little && !tiff.starts_with("MM")) return 1;
  const std::size_t directory = number_at(tiff, 4, 4, little);
  const std::size_t entries = number_at(tiff, directory, 2, little);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.size()) return 1;
    if (number_at(tiff, entry, 2, little) != orientation_tag) continue;
    const std::uint32_t value = number_at(tiff, entry + 8, 2, little);
    const bool known = number_at(tiff, entry + 2, 2, little) == short_type && value >= 1 && value <= 8;
    return known ? static_cast<int>(value) : 1;
  }
  return 1;
}

int jpeg_orientation(std::string_view file) {
  std::size_t at = 2;
  while (at + 4 <= file.size() && file[at] == '\xFF') {
    const auto marker = static_cast<unsigned char>(file[at + 1]);
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) return 1;  // the pixels, or the end
    const std::size_t length = number_at(file, at + 2, 2, false);
    if (length < 2 || at + 2 + length > file.size()) return 1;
    const std::string_view segment = file.substr(at + 4, length - 2);
    if (marker == 0xE1 && segment.starts_with(exif_mark)) return tiff_orientation(segment.substr(exif_mark.size()));
    at += 2 + length;
  }
  return 1;
}

int png_orientation(std::string_view file) {
  std::size_t at = png_signature.size();
  while (at + 12 <= file.size()) {
    const std::size_t length = number_at(file, at, 4, false);
    if (length > file.size() - at - 12) return 1;
    if (file.substr(at + 4, 4) == "eXIf") return tiff_orientation(file.substr(at + 8, length));
    at += 12 + length;
  }
  return 1;
}

}  // namespace

int exif_orientation(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.starts_with("\xFF\xD8")) return jpeg_orientation(text);
  if (text.starts_with(png_signature)) return png_orientation(text);
  return 1;
}

}  // namespace lapis::io
