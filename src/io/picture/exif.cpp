#include "io/picture/exif.hpp"

#include <cstdint>
#include <string_view>

#include "io/file/file_kinds.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

constexpr std::string_view exif_mark{"Exif\0\0", 6};
constexpr std::uint32_t orientation_tag = 0x0112;
constexpr std::uint32_t exif_directory_tag = 0x8769;
constexpr std::uint32_t user_comment_tag = 0x9286;
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

/// The header and the directories of Exif data, which is a TIFF file without a picture (Exif 2.3, section 4.5).
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), little_(bytes.starts_with("II")) {}

  bool is_one() const { return little_ || bytes_.starts_with("MM"); }
  std::uint32_t number(std::size_t offset, std::size_t count) const {
    return number_at(bytes_, offset, count, little_);
  }
  std::size_t first_directory() const { return number(4, 4); }

  /// The offset of a tag's entry of 12 bytes in the directory at `directory`.
  std::optional<std::size_t> find(std::size_t directory, std::uint32_t tag) const {
    const std::size_t entries = number(directory, 2);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::size_t entry = directory + 2 + i * 12;
      if (entry + 12 > bytes_.size()) return std::nullopt;
      if (number(entry, 2) == tag) return entry;
    }
    return std::nullopt;
  }

  /// The bytes that an entry of single bytes points at; none where they are not in the data, or few enough to stand in
  /// the entry itself.
  std::string_view bytes_of(std::size_t entry) const {
    const std::size_t count = number(entry + 4, 4);
    const std::size_t offset = number(entry + 8, 4);
    if (count <= 4 || offset > bytes_.size() || count > bytes_.size() - offset) return {};
    return bytes_.substr(offset, count);
  }

 private:
  std::string_view bytes_;
  bool little_;
};

int tiff_orientation(std::string_view exif) {
  const Tiff tiff(exif);
  if (!tiff.is_one()) return 1;
  const std::optional<std::size_t> entry = tiff.find(tiff.first_directory(), orientation_tag);
  if (!entry) return 1;
  const std::uint32_t value = tiff.number(*entry + 8, 2);
  const bool known = tiff.number(*entry + 2, 2) == short_type && value >= 1 && value <= 8;
  return known ? static_cast<int>(value) : 1;
}

void append_utf8(std::string& text, std::uint32_t code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
    return;
  }
  const int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  const std::uint32_t lead = tail == 1 ? 0xC0U : tail == 2 ? 0xE0U : 0xF0U;
  text += static_cast<char>(lead | code >> static_cast<unsigned>(6 * tail));
  for (int i = tail - 1; i >= 0; --i) text += static_cast<char>(0x80U | (code >> static_cast<unsigned>(6 * i) & 0x3FU));
}

/// The standard names no order of bytes, and writers differ: most text has more letters below U+0100 than any other, so
/// the half that is more often 0 is the upper one.
std::string utf8_from_utf16(std::string_view bytes) {
  std::size_t first_zeros = 0;
  std::size_t second_zeros = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    first_zeros += bytes[i] == 0 ? 1 : 0;
    second_zeros += bytes[i + 1] == 0 ? 1 : 0;
  }
  const bool little = second_zeros > first_zeros;
  std::string text;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t code = number_at(bytes, i, 2, little);
    const std::uint32_t next = number_at(bytes, i + 2, 2, little);
    if (code >= 0xD800 && code < 0xDC00 && next >= 0xDC00 && next < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (next - 0xDC00);
      i += 2;
    } else if (code >= 0xD800 && code < 0xE000) {
      code = 0xFFFD;
    }
    append_utf8(text, code);
  }
  return text;
}

/// The text of a UserComment, which begins with eight bytes that name its code; none where it is empty.
std::optional<std::string> comment_text(std::string_view comment) {
  constexpr std::size_t code_size = 8;
  if (comment.size() <= code_size) return std::nullopt;
  const std::string_view code = comment.substr(0, code_size);
  const std::string_view bytes = comment.substr(code_size);
  std::string text;
  if (code == std::string_view("UNICODE\0", code_size)) text = utf8_from_utf16(bytes);
  if (code == std::string_view("ASCII\0\0\0", code_size) || code == std::string_view("\0\0\0\0\0\0\0\0", code_size)) {
    text = utf8_or_latin1(bytes);
  }
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text.empty() ? std::nullopt : std::optional(text);
}

/// The Exif data of a JPEG; empty where there are none.
std::string_view jpeg_exif(std::string_view file) {
  std::size_t at = 2;
  while (at + 4 <= file.size() && file[at] == '\xFF') {
    const auto marker = static_cast<unsigned char>(file[at + 1]);
    if (marker == 0xFF) {  // padding
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) return {};  // the pixels, or the end
    const std::size_t length = number_at(file, at + 2, 2, false);
    if (length < 2 || at + 2 + length > file.size()) return {};
    const std::string_view segment = file.substr(at + 4, length - 2);
    if (marker == 0xE1 && segment.starts_with(exif_mark)) return segment.substr(exif_mark.size());
    at += 2 + length;
  }
  return {};
}

/// The Exif data of a PNG; empty where there are none.
std::string_view png_exif(std::string_view file) {
  std::size_t at = png_signature.size();
  while (at + 12 <= file.size()) {
    const std::size_t length = number_at(file, at, 4, false);
    if (length > file.size() - at - 12) return {};
    if (file.substr(at + 4, 4) == "eXIf") return file.substr(at + 8, length);
    at += 12 + length;
  }
  return {};
}

std::string_view exif_of(std::span<const std::byte> file) {
  const std::string_view text = as_chars(file);
  if (text.starts_with("\xFF\xD8")) return jpeg_exif(text);
  if (text.starts_with(png_signature)) return png_exif(text);
  return {};
}

}  // namespace

int exif_orientation(std::span<const std::byte> file) { return tiff_orientation(exif_of(file)); }

std::optional<std::string> exif_user_comment(std::span<const std::byte> file) {
  const Tiff tiff(exif_of(file));
  if (!tiff.is_one()) return std::nullopt;
  const std::optional<std::size_t> directory = tiff.find(tiff.first_directory(), exif_directory_tag);
  if (!directory) return std::nullopt;
  const std::optional<std::size_t> entry = tiff.find(tiff.number(*directory + 8, 4), user_comment_tag);
  return entry ? comment_text(tiff.bytes_of(*entry)) : std::nullopt;
}

}  // namespace lapis::io
