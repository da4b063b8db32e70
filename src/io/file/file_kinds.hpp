// What kind of file bytes are, by how they begin: for readers that must say what they were given instead.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace lapis::io {

/// What every PNG begins with.
constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n";

/// One row per kind of file.
struct FileKind {
  std::string_view name;  ///< "PNG": as messages call it
  std::size_t offset;     ///< where its mark stands
  std::string_view mark;
  bool picture;
  bool readable;  ///< as a picture, by `read_pixels`
};

/// The kind of a file that begins with a mark of its own; null for any other. Marks of two letters are passed over
/// where the rest looks like safetensors, whose first bytes are a number.
const FileKind* find_file_kind(std::span<const std::byte> file);

/// Whether bytes begin as a safetensors file: a header's length that the format allows, then "{".
bool begins_as_safetensors(std::span<const std::byte> file);

/// Whether bytes begin as a pickle of Python's, of a protocol of 2 to 5.
bool begins_as_pickle(std::span<const std::byte> file);

}  // namespace lapis::io
