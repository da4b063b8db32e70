#include "io/picture/picture_reader.hpp"

#include <array>
#include <filesystem>
#include <optional>
#include <string_view>

#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/shortage.hpp"
#include "io/file/text.hpp"
#include "io/picture/exif.hpp"
#include "io/picture/format_readers.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

struct FormatRow {
  std::string_view name;
  PictureFacts (*read_facts)(std::span<const std::byte> file, const std::string& name);
  core::Pixels (*read_pixels)(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);
};

constexpr std::array<FormatRow, 6> formats = {{
    {"JPEG", read_jpeg_facts, read_jpeg},
    {"PNG", read_png_facts, read_png_pixels},
    {"BMP", read_bmp_facts, read_by_stb},
    {"TGA", read_tga_facts, read_by_stb},
    {"PNM", read_pnm_facts, read_pnm},
    {"GIF", read_gif_facts, read_gif},
}};

constexpr const char* format_advice = "Give a JPEG, PNG, BMP, TGA, PNM or GIF.";

/// A TGA begins with nothing of its own; the newer ones end with a mark.
bool is_tga(std::string_view file, const std::string& name) {
  const bool named = core::lower_ascii(std::filesystem::path(name).extension().string()) == ".tga";
  return named || file.ends_with(std::string_view("TRUEVISION-XFILE.\0", 18));
}

std::string_view format_of(std::span<const std::byte> bytes, const std::string& name) {
  if (const FileKind* kind = find_file_kind(bytes)) {
    if (kind->readable) return kind->name;
    fail_unread(name, core::sentence("{} file", kind->name), format_advice);
  }
  const std::string_view file = as_chars(bytes);
  if (is_tga(file, name)) return "TGA";
  throw Error(ErrorKind::input,
              core::sentence("{} is no picture that lapis reads: it begins {}.", name, in_quotes(file.substr(0, 8))),
              format_advice);
}

const FormatRow& row_of(std::string_view format) {
  for (const FormatRow& row : formats) {
    if (row.name == format) return row;
  }
  throw Error(ErrorKind::internal, core::sentence("there is no reader of {}.", format));
}

std::string size_text(const PictureFacts& facts) { return core::sentence("{} x {} pixels", facts.width, facts.height); }

void check_sides(const PictureFacts& facts, const std::string& name) {
  if (facts.width < 1 || facts.height < 1) {
    fail_damaged(facts.format, name, core::sentence("it claims {}", size_text(facts)));
  }
  if (facts.width <= largest_side && facts.height <= largest_side) return;
  throw Error(ErrorKind::input,
              core::sentence("{} has {}; at most {} along a side are read.", name, size_text(facts), largest_side),
              "Make the picture smaller first.");
}

}  // namespace

void check_picture_memory(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  const std::uint64_t turned = facts.orientation == 1 ? 0 : pixel_count(facts) * static_cast<unsigned>(facts.channels);
  const std::uint64_t needed = file.size() + facts.memory + turned;
  constexpr std::uint64_t megabyte = 1'000'000;
  constexpr const char* what_to_do = "Make the picture smaller first.";
  if (needed > most_picture_memory) {
    throw Error(ErrorKind::input,
                core::sentence("{} has {}: reading it takes {} MB, and at most {} MB are spent on one.", name,
                               size_text(facts), needed / megabyte, most_picture_memory / megabyte),
                what_to_do);
  }
  const std::optional<std::uint64_t> there = free_memory();
  if (!there || needed < *there) return;
  throw Error(ErrorKind::device,
              core::sentence("{} has {}: reading it takes {} MB, and {} MB are free.", name, size_text(facts),
                             needed / megabyte, *there / megabyte),
              what_to_do);
}

PictureFacts read_picture_facts(std::span<const std::byte> file, const std::string& name) {
  PictureFacts facts = row_of(format_of(file, name)).read_facts(file, name);
  check_sides(facts, name);
  facts.orientation = exif_orientation(file);
  return facts;
}

core::Pixels read_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  check_picture_memory(file, facts, name);
  return row_of(facts.format).read_pixels(file, facts, name);
}

}  // namespace lapis::io
