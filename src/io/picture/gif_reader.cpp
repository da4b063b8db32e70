#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/file/text.hpp"
#include "io/picture/format_readers.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t gif_head_size = 13;
constexpr std::size_t most_codes = 4096;
constexpr int longest_code = 12;

struct Frame {
  int screen_width = 0;
  int screen_height = 0;
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
  bool interlaced = false;
  std::optional<std::size_t> hole;  ///< index of the transparent colour
  std::string_view palette;         ///< three bytes a colour
  std::size_t data = 0;             ///< offset of the coded pixels
};

[[noreturn]] void fail(const std::string& name, const std::string& reason) { fail_damaged("GIF", name, reason); }

/// Walks the blocks of a file, none of which may reach beyond its end.
class BlockReader {
 public:
  BlockReader(std::span<const std::byte> file, const std::string& name, std::size_t at = 0)
      : file_(as_chars(file)), name_(name), at_(at) {}

  Frame read_frame() {
    std::string_view head = take(gif_head_size);
    Frame frame;
    frame.screen_width = word(head, 6);
    frame.screen_height = word(head, 8);
    const std::string_view global = palette_of(static_cast<unsigned char>(head[10]));
    while (true) {
      const char tag = take(1)[0];
      if (tag == ',') break;
      if (tag == ';') fail(name_, "it has no frame");
      if (tag != '!') fail(name_, "it has a block of an unknown kind");
      read_extension(frame);
    }
    read_descriptor(frame, global);
    return frame;
  }

  /// The data of the sub-blocks from here to the one that is empty, one behind the other.
  std::string read_data() {
    std::string data;
    for (std::size_t size = byte(); size != 0; size = byte()) data += take(size);
    return data;
  }

  std::size_t byte() { return static_cast<unsigned char>(take(1)[0]); }

 private:
  std::string_view take(std::size_t count) {
    if (count > file_.size() - at_) fail(name_, "it is cut short");
    at_ += count;
    return file_.substr(at_ - count, count);
  }

  static int word(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]) | static_cast<unsigned char>(bytes[at + 1]) << 8;
  }

  std::string_view palette_of(unsigned flags) {
    return (flags & 0x80U) == 0 ? std::string_view() : take(std::size_t{6} << (flags & 7U));
  }

  void read_extension(Frame& frame) {
    const bool control = take(1)[0] == '\xF9';
    const std::string data = read_data();
    if (!control || data.size() < 4) return;
    frame.hole.reset();
    if ((data[0] & 1) != 0) frame.hole = static_cast<unsigned char>(data[3]);
  }

  void read_descriptor(Frame& frame, std::string_view global) {
    const std::string_view descriptor = take(9);
    frame.left = word(descriptor, 0);
    frame.top = word(descriptor, 2);
    frame.width = word(descriptor, 4);
    frame.height = word(descriptor, 6);
    if (frame.width == 0 || frame.height == 0 || frame.left + frame.width > frame.screen_width ||
        frame.top + frame.height > frame.screen_height) {
      fail(name_, "its first frame does not lie on its screen");
    }
    const auto flags = static_cast<unsigned char>(descriptor[8]);
    frame.interlaced = (flags & 0x40U) != 0;
    const std::string_view own = palette_of(flags);
    frame.palette = own.empty() ? global : own;
    if (frame.palette.empty()) fail(name_, "it has no palette");
    frame.data = at_;
  }

  std::string_view file_;
  const std::string& name_;
  std::size_t at_;
};

/// Unpacks the colour indices of a frame (Welch 1984, with GIF's growing codes).
class Unpacker {
 public:
  Unpacker(std::string_view data, int code_size, const std::string& name)
      : data_(data), name_(name), clear_(std::size_t{1} << code_size), code_size_(code_size) {
    for (std::size_t i = 0; i < clear_; ++i) codes_[i] = {0, static_cast<std::uint8_t>(i), 1};
    start_again();
  }

  /// Fills `to`. What is coded beyond it is passed over, as other readers do.
  void unpack(std::vector<std::uint8_t>& to) {
    std::size_t done = 0;
    while (done < to.size()) {
      const std::size_t code = next_code();
      if (code == clear_) {
        start_again();
      } else if (code == clear_ + 1) {
        fail(name_, "its pixels end early");
      } else {
        done += put(code, std::span(to).subspan(done));
      }
    }
  }

 private:
  struct Code {
    std::uint16_t prefix;
    std::uint8_t last;
    std::uint16_t length;
  };

  void start_again() {
    bits_ = code_size_ + 1;
    count_ = clear_ + 2;
    before_.reset();
  }

  std::size_t next_code() {
    while (held_ < bits_) {
      if (at_ == data_.size()) fail(name_, "its pixels end early");
      buffer_ |= std::uint32_t{static_cast<unsigned char>(data_[at_++])} << held_;
      held_ += 8;
    }
    const std::uint32_t code = buffer_ & ((1U << bits_) - 1U);
    buffer_ >>= bits_;
    held_ -= bits_;
    return code;
  }

  std::uint8_t first_of(std::size_t code) const {
    while (codes_[code].length > 1) code = codes_[code].prefix;
    return codes_[code].last;
  }

  /// Writes what `code` stands for, as far as there is room, and gives its length there.
  std::size_t put(std::size_t code, std::span<std::uint8_t> to) {
    if (code > count_ || (code == count_ && (!before_ || count_ == most_codes))) {
      fail(name_, "its pixels have a code that was not made yet");
    }
    if (before_ && count_ < most_codes) {
      const std::size_t first = first_of(code == count_ ? *before_ : code);
      codes_[count_++] = {static_cast<std::uint16_t>(*before_), static_cast<std::uint8_t>(first),
                          static_cast<std::uint16_t>(codes_[*before_].length + 1)};
      if (count_ == std::size_t{1} << bits_ && bits_ < longest_code) ++bits_;
    }
    before_ = code;
    const std::size_t length = codes_[code].length;
    std::size_t from = code;
    for (std::size_t i = length; i-- > 0; from = codes_[from].prefix) {
      if (i < to.size()) to[i] = codes_[from].last;
    }
    return std::min(length, to.size());
  }

  std::string_view data_;
  const std::string& name_;
  std::size_t clear_;
  int code_size_;
  std::array<Code, most_codes> codes_{};
  std::size_t count_ = 0;
  int bits_ = 0;
  std::optional<std::size_t> before_;
  std::size_t at_ = 0;
  std::uint32_t buffer_ = 0;
  int held_ = 0;
};

/// The row of a frame that is coded as number `i`, of one in four passes.
int interlaced_row(int i, int height) {
  constexpr std::array<std::array<int, 2>, 4> passes = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  for (const auto [first, step] : passes) {
    const int rows = first < height ? (height - first + step - 1) / step : 0;
    if (i < rows) return first + i * step;
    i -= rows;
  }
  return height - 1;
}

}  // namespace

PictureFacts read_gif_facts(std::span<const std::byte> file, const std::string& name) {
  const Frame frame = BlockReader(file, name).read_frame();
  PictureFacts facts{
      .format = "GIF", .width = frame.screen_width, .height = frame.screen_height, .channels = frame.hole ? 4 : 3};
  // Beside the pixels: the frame's indices, and its data without the blocks around them.
  const auto indices = static_cast<std::uint64_t>(frame.width) * static_cast<std::uint64_t>(frame.height);
  facts.memory = pixel_count(facts) * static_cast<std::uint64_t>(facts.channels) + indices + file.size();
  return facts;
}

core::Pixels read_gif(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  const Frame frame = BlockReader(file, name).read_frame();
  BlockReader reader(file, name, frame.data);
  const std::size_t code_size = reader.byte();
  if (code_size < 1 || code_size > 8) fail(name, core::sentence("its codes begin with {} bits", code_size));
  const std::string data = reader.read_data();
  std::vector<std::uint8_t> indices(static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height));
  Unpacker(data, static_cast<int>(code_size), name).unpack(indices);

  core::Pixels pixels = core::make_pixels(facts.width, facts.height, facts.channels);
  const auto channels = static_cast<std::size_t>(facts.channels);
  const auto put = [&](std::size_t to, std::size_t index) {
    const bool known = index * 3 < frame.palette.size();
    if (!known && index != frame.hole) fail(name, "a pixel has a colour that its palette lacks");
    for (std::size_t c = 0; known && c < 3; ++c) {
      pixels.bytes[to + c] = static_cast<std::uint8_t>(frame.palette[index * 3 + c]);
    }
    if (channels == 4) pixels.bytes[to + 3] = index == frame.hole ? 0 : 255;
  };
  const bool covered = frame.width == facts.width && frame.height == facts.height;
  for (std::size_t i = 0; !covered && i < pixels.bytes.size(); i += channels) put(i, frame.hole.value_or(0));
  std::size_t from = 0;
  for (int i = 0; i < frame.height; ++i) {
    const int y = frame.top + (frame.interlaced ? interlaced_row(i, frame.height) : i);
    const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(facts.width);
    for (int x = 0; x < frame.width; ++x) {
      put((row + static_cast<std::size_t>(frame.left + x)) * channels, indices[from++]);
    }
  }
  return pixels;
}

}  // namespace lapis::io
