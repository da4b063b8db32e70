// PNG files and the text in them (Portable Network Graphics, W3C, third edition).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lapis/image.hpp"

namespace lapis::io {

/// The settings a picture carries, in UTF-8. An empty text is not written.
struct PngText {
  std::string parameters;  ///< chunk "parameters", the form of A1111 that most tools read
  std::string lapis;       ///< chunk "lapis", a JSON document
};

/// `image` as an 8-bit RGB PNG. "parameters" is a tEXt chunk if it is plain ASCII and an iTXt chunk otherwise, "lapis"
/// always an iTXt chunk; both stand before the pixels. No time stamp: the same input gives the same bytes.
/// Throws Error{usage} for text that is not UTF-8, Error{internal} for an image whose size and data disagree.
std::vector<std::byte> encode_png(const Image& image, const PngText& text);

/// One text in a picture file: a chunk of a PNG (tEXt, zTXt or iTXt), a JPEG's comment.
struct NamedText {
  std::string key;
  std::string text;  ///< UTF-8

  bool operator==(const NamedText&) const = default;
};

/// Whether bytes begin as a PNG does.
bool is_png(std::span<const std::byte> bytes);

/// The size of a picture and the texts in its file.
struct PictureTexts {
  int width = 0;
  int height = 0;
  int bit_depth = 0;             ///< bits of one channel
  std::vector<NamedText> texts;  ///< in the order of the file
};

/// Reads a PNG's header and all its text, not its pixels, though the checksum of every chunk is tested. tEXt and zTXt
/// are Latin-1 by the standard; where their bytes are UTF-8 they are taken as that, since several tools write it.
/// Throws Error{input} if the file is no PNG, is damaged or cut short, is wider or higher than 65535 pixels, has more
/// than 8 MB in one text, 16 MB in all or 256 texts. Time and memory are bounded by these numbers and the file's size.
PictureTexts read_png_text(const std::filesystem::path& path);

/// Reads a PNG that lies in memory, as a file is read; `name` is the file that errors speak of.
PictureTexts read_png_text(std::span<const std::byte> png, const std::string& name);

}  // namespace lapis::io
