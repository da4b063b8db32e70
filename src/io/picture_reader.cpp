#include "io/picture_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stb/stb_image.h>
#include <string_view>
#include <unistd.h>

#include "io/exif.hpp"
#include "io/file_descriptor.hpp"
#include "io/file_kinds.hpp"
#include "io/mapped_file.hpp"
#include "io/memory.hpp"
#include "io/png.hpp"
#include "io/text.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t largest_file = 1'000'000'000;
constexpr int largest_side = 65'535;
constexpr std::int64_t most_pixels = 180'000'000;

constexpr std::string_view advice = ".\nGive a JPEG, PNG, BMP, TGA, PNM or GIF.";

std::string_view text_of(std::span<const std::byte> file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

/// A TGA begins with nothing of its own; the newer ones end with a mark.
bool is_tga(std::string_view file, const std::string& name) {
  const std::string extension = std::filesystem::path(name).extension();
  const bool named = extension == ".tga" || extension == ".TGA";
  return named || file.ends_with(std::string_view("TRUEVISION-XFILE.\0", 18));
}

std::string format_of(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view file = text_of(bytes);
  if (const FileKind* kind = find_file_kind(bytes)) {
    if (kind->readable) return std::string(kind->name);
    throw Error(ErrorKind::input,
                name + " is a " + std::string(kind->name) + " file, which lapis does not read" + std::string(advice));
  }
  if (is_tga(file, name)) return "TGA";
  throw Error(ErrorKind::input, name + " is no picture that lapis reads: it begins " + in_quotes(file.substr(0, 8)) +
                                    std::string(advice));
}

[[noreturn]] void fail_damaged(const std::string& format, const std::string& name, const std::string& reason) {
  throw Error(ErrorKind::input, name + " is a damaged " + format + ": " + reason + ".\nGive another file.");
}

/// A file as stb reads it, which notes where more was wanted than there is: stb itself goes on with zeros. Its buffer
/// may be filled in part; whatever else it asks for, it needs.
struct Source {
  std::span<const std::byte> rest;
  bool ran_out = false;

  static constexpr int buffer_size = 128;  // stb's own

  static int read(void* user, char* to, int count) {
    auto* source = static_cast<Source*>(user);
    const std::size_t taken = std::min(source->rest.size(), static_cast<std::size_t>(count));
    std::memcpy(to, source->rest.data(), taken);
    source->rest = source->rest.subspan(taken);
    if (taken == 0 || (taken < static_cast<std::size_t>(count) && count != buffer_size)) source->ran_out = true;
    return static_cast<int>(taken);
  }

  static void skip(void* user, int count) {
    auto* source = static_cast<Source*>(user);
    if (count < 0) return;
    if (static_cast<std::size_t>(count) > source->rest.size()) source->ran_out = true;
    source->rest = source->rest.subspan(std::min(source->rest.size(), static_cast<std::size_t>(count)));
  }

  static int at_end(void* user) { return static_cast<Source*>(user)->rest.empty() ? 1 : 0; }
};

constexpr stbi_io_callbacks callbacks = {Source::read, Source::skip, Source::at_end};

std::string size_text(const PictureFacts& facts) {
  return std::to_string(facts.width) + " x " + std::to_string(facts.height) + " pixels";
}

void check_size(const PictureFacts& facts, const std::string& name) {
  if (facts.width < 1 || facts.height < 1) fail_damaged(facts.format, name, "it claims " + size_text(facts));
  if (facts.width <= largest_side && facts.height <= largest_side &&
      std::int64_t{facts.width} * facts.height <= most_pixels) {
    return;
  }
  throw Error(ErrorKind::input, name + " has " + size_text(facts) + "; at most 180 million are read, " +
                                    std::to_string(largest_side) + " along a side.\nMake the picture smaller first.");
}

/// The size in a PNG's header. stb refuses those it finds too large without saying so.
PictureFacts png_size(std::string_view file) {
  PictureFacts facts{.format = "PNG"};
  constexpr std::size_t at = 16;
  if (file.size() < at + 8) return {.format = "PNG", .width = 1, .height = 1};  // stb says that it is cut short
  for (std::size_t i = 0; i < 4; ++i) {
    facts.width = facts.width % 0x800000 * 256 + static_cast<unsigned char>(file[at + i]);
    facts.height = facts.height % 0x800000 * 256 + static_cast<unsigned char>(file[at + 4 + i]);
  }
  return facts;
}

struct Free {
  void operator()(stbi_uc* pixels) const { stbi_image_free(pixels); }
};

/// stb holds the packed and the unpacked pixels side by side, at 16 bit where the file has them; then come our copies.
void check_memory(const PictureFacts& facts, const std::string& name) {
  const auto pixels = static_cast<std::uint64_t>(facts.width) * static_cast<std::uint64_t>(facts.height);
  const std::uint64_t needed = pixels * static_cast<std::uint64_t>((facts.channels + 1) * (facts.bits / 8) * 3);
  const std::optional<std::uint64_t> there = free_memory();
  if (!there || needed < *there) return;
  throw Error(ErrorKind::device, name + " has " + size_text(facts) + ": reading it takes " +
                                     std::to_string(needed >> 20U) + " MB, and " + std::to_string(*there >> 20U) +
                                     " MB are free.\nMake the picture smaller first.");
}

std::vector<std::byte> read_stdin() {
  std::vector<std::byte> bytes;
  std::array<std::byte, 65'536> piece{};
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(ErrorKind::input, "standard input cannot be read: " + system_reason(errno) + ".");
    if (count == 0) return bytes;
    if (bytes.size() > largest_file) return bytes;
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + count);
  }
}

}  // namespace

std::vector<std::byte> read_picture_file(const std::filesystem::path& path) {
  const bool piped = path == "-";
  const std::string name = piped ? "standard input" : path.string();
  std::vector<std::byte> bytes;
  if (piped) {
    bytes = read_stdin();
  } else {
    const MappedFile file(path, ErrorKind::input);
    if (file.bytes().size() <= largest_file) bytes.assign(file.bytes().begin(), file.bytes().end());
    if (file.bytes().size() > largest_file) bytes.resize(largest_file + 1);
  }
  if (bytes.empty()) throw Error(ErrorKind::input, name + " is empty; a picture is needed here.");
  if (bytes.size() > largest_file) {
    throw Error(ErrorKind::input,
                name + " is larger than 1 GB, which no picture needs.\nMake the picture smaller first.");
  }
  return bytes;
}

PictureFacts read_picture_facts(std::span<const std::byte> file, const std::string& name) {
  PictureFacts facts;
  facts.format = format_of(file, name);
  if (facts.format == "PNG") check_size(png_size(text_of(file)), name);
  Source source{file};
  if (stbi_info_from_callbacks(&callbacks, &source, &facts.width, &facts.height, &facts.channels) == 0) {
    fail_damaged(facts.format, name, source.ran_out ? "it is cut short" : stbi_failure_reason());
  }
  check_size(facts, name);
  Source again{file};
  if (stbi_is_16_bit_from_callbacks(&callbacks, &again) != 0) facts.bits = 16;
  facts.orientation = exif_orientation(file);
  return facts;
}

core::Pixels read_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  check_memory(facts, name);
  if (facts.format == "PNG") read_png_text(file, name);  // tests checksums, which stb passes over
  Source source{file};
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, Free> pixels(
      stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, /*desired_channels=*/0));
  if (source.ran_out) fail_damaged(facts.format, name, "it is cut short");
  if (!pixels) fail_damaged(facts.format, name, stbi_failure_reason());
  if (width != facts.width || height != facts.height) fail_damaged(facts.format, name, "it names two sizes");
  core::Pixels result{width, height, channels, {}};
  const auto count =
      static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels);
  result.bytes.assign(pixels.get(), pixels.get() + count);
  return result;
}

}  // namespace lapis::io
