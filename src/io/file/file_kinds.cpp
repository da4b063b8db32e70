#include "io/file/file_kinds.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "io/file/safetensors.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

// clang-format off
constexpr std::array<FileKind, 28> kinds = {{
    // name        at  mark                          picture readable
    {"JPEG",       0, "\xFF\xD8\xFF",                 true,  true},
    {"PNG",        0, png_signature,                  true,  true},
    {"BMP",        0, "BM",                           true,  true},
    {"GIF",        0, "GIF87a",                       true,  true},
    {"GIF",        0, "GIF89a",                       true,  true},
    {"PNM",        0, "P1",                           true,  true},
    {"PNM",        0, "P2",                           true,  true},
    {"PNM",        0, "P3",                           true,  true},
    {"PNM",        0, "P4",                           true,  true},
    {"PNM",        0, "P5",                           true,  true},
    {"PNM",        0, "P6",                           true,  true},
    {"PNM",        0, "P7",                           true,  true},
    {"PFM",        0, "PF",                           true,  false},
    {"PFM",        0, "Pf",                           true,  false},
    {"WebP",       8, "WEBP",                         true,  false},
    {"AVIF",       4, "ftypavif",                     true,  false},
    {"HEIC",       4, "ftypheic",                     true,  false},
    {"HEIF",       4, "ftypmif1",                     true,  false},
    {"JPEG XL",    0, "\xFF\x0A",                     true,  false},
    {"JPEG XL",    4, "JXL ",                         true,  false},
    {"TIFF",       0, std::string_view("II*\0", 4),   true,  false},
    {"TIFF",       0, std::string_view("MM\0*", 4),   true,  false},
    {"PSD",        0, "8BPS",                         true,  false},
    {"SVG",        0, "<svg",                         true,  false},
    {"XML or SVG", 0, "<?xml",                        false, false},
    {"PDF",        0, "%PDF",                         false, false},
    {"EXR",        0, "\x76\x2F\x31\x01",             true,  false},
    {"ZIP",        0, "PK\x03\x04",                   false, false},
}};
// clang-format on

}  // namespace

const FileKind* find_file_kind(std::span<const std::byte> file) {
  if (begins_as_safetensors(file)) return nullptr;
  const std::string_view text = as_chars(file);
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const FileKind& kind) {
    return text.size() >= kind.offset && text.substr(kind.offset).starts_with(kind.mark);
  });
  return found == kinds.end() ? nullptr : &*found;
}

bool begins_as_safetensors(std::span<const std::byte> file) {
  constexpr std::size_t size_field = 8;
  if (file.size() <= size_field) return false;
  std::uint64_t length = 0;
  for (std::size_t i = size_field; i-- > 0;) length = (length << 8U) | std::to_integer<std::uint64_t>(file[i]);
  return length <= longest_safetensors_header && file[size_field] == std::byte{'{'};
}

bool begins_as_pickle(std::span<const std::byte> file) {
  return file.size() > 1 && file[0] == std::byte{0x80} && file[1] >= std::byte{2} && file[1] <= std::byte{5};
}

}  // namespace lapis::io
