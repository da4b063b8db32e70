#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/file/text.hpp"
#include "io/picture/format_readers.hpp"

namespace lapis::io {
namespace {

constexpr std::string_view pnm_blanks = " \t\n\r\v\f";
constexpr int largest_value = 65'535;
constexpr std::size_t longest_number = 10;

struct PnmHeader {
  char kind = 0;  ///< the digit behind the P
  int width = 0;
  int height = 0;
  int channels = 0;
  int most = 1;  ///< the value of a sample that is white
};

struct TupleRow {
  std::string_view name;
  int channels;
};

constexpr std::array<TupleRow, 6> tuples = {{
    {"BLACKANDWHITE", 1},
    {"GRAYSCALE", 1},
    {"RGB", 3},
    {"BLACKANDWHITE_ALPHA", 2},
    {"GRAYSCALE_ALPHA", 2},
    {"RGB_ALPHA", 4},
}};

class PnmReader {
 public:
  PnmReader(std::span<const std::byte> file, const std::string& name) : file_(as_chars(file)), name_(name) {}

  /// Leaves the reader at the first sample.
  PnmHeader read_header() {
    if (file_.size() < 2) fail("it is cut short");
    header_.kind = file_[1];
    at_ = 2;
    if (header_.kind == '7') {
      read_pam_header();
    } else {
      header_.channels = header_.kind == '3' || header_.kind == '6' ? 3 : 1;
      header_.width = number("width");
      header_.height = number("height");
      if (!is_bitmap()) header_.most = number("largest value");
      if (!is_plain()) end_header();
    }
    if (header_.most < 1 || header_.most > largest_value) {
      fail(core::sentence("its largest value is {}, which is not 1 to 65535", header_.most));
    }
    return header_;
  }

  /// Refuses a file that cannot hold its samples, before there is room for them.
  void check_size() const { need(least_bytes()); }

  void read_samples(std::vector<std::uint8_t>& to) {
    if (header_.kind == '1') return read_digits(to);
    if (header_.kind == '4') return read_bits(to);
    make_scale();
    if (is_plain()) return read_numbers(to);
    read_raw(to);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { fail_damaged("PNM", name_, reason); }
  [[noreturn]] void fail_number(std::string_view what) const {
    fail(core::sentence("its {} is no number that it can be", what));
  }

  /// What the samples take at least: numbers in text a digit and a blank each, but the last.
  double least_bytes() const {
    const double rows = header_.height;
    if (header_.kind == '4') return rows * std::ceil(header_.width / 8.0);
    const double samples = rows * header_.width * header_.channels;
    if (header_.kind == '1') return samples;
    if (is_plain()) return 2 * samples - 1;
    return header_.most > 255 ? 2 * samples : samples;
  }

  void need(double bytes) const {
    if (bytes > static_cast<double>(file_.size() - at_)) fail("it is cut short");
  }

  bool is_plain() const { return header_.kind <= '3'; }
  bool is_bitmap() const { return header_.kind == '1' || header_.kind == '4'; }

  static bool is_blank(char c) { return pnm_blanks.find(c) != std::string_view::npos; }

  /// Goes to what is neither blank nor comment.
  void skip_blanks() {
    while (at_ < file_.size() && (is_blank(file_[at_]) || file_[at_] == '#')) {
      if (file_[at_] == '#')
        skip_comment();
      else
        ++at_;
    }
  }

  void skip_comment() { at_ = std::min(file_.find_first_of("\n\r", at_), file_.size()); }

  /// The next number, of 0 to 2147483647.
  int number(std::string_view what) {
    skip_blanks();
    const std::size_t begin = at_;
    std::int64_t value = 0;
    while (at_ < file_.size() && file_[at_] >= '0' && file_[at_] <= '9' && at_ - begin < longest_number) {
      value = value * 10 + (file_[at_++] - '0');
    }
    if (at_ == file_.size() && at_ == begin) fail("it is cut short");
    const bool ended = at_ == file_.size() || is_blank(file_[at_]) || file_[at_] == '#';
    if (at_ == begin || !ended || value > INT32_MAX) fail_number(what);
    return static_cast<int>(value);
  }

  /// One blank stands between header and samples; a comment may stand before it.
  void end_header() {
    if (at_ < file_.size() && file_[at_] == '#') skip_comment();
    if (at_ == file_.size()) fail("it is cut short");
    ++at_;
  }

  std::string_view take_line() {
    const std::size_t end = file_.find('\n', at_);
    if (end == std::string_view::npos) fail("it is cut short");
    const std::string_view line = trimmed(file_.substr(at_, end - at_));
    at_ = end + 1;
    return line;
  }

  static std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(pnm_blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(pnm_blanks) - begin + 1);
  }

  void read_pam_header() {
    std::string tuple;
    take_line();
    for (std::string_view line = take_line(); line != "ENDHDR"; line = take_line()) {
      if (line.empty() || line.front() == '#') continue;
      const std::string_view key = line.substr(0, line.find_first_of(pnm_blanks));
      const std::string_view value = trimmed(line.substr(key.size()));
      if (key == "WIDTH")
        header_.width = field(key, value);
      else if (key == "HEIGHT")
        header_.height = field(key, value);
      else if (key == "DEPTH")
        header_.channels = field(key, value);
      else if (key == "MAXVAL")
        header_.most = field(key, value);
      else if (key == "TUPLTYPE")
        tuple += (tuple.empty() ? "" : " ") + std::string(value);
      else
        fail(core::sentence("its header has a line {}", in_quotes(key)));
    }
    check_tuple(tuple);
  }

  int field(std::string_view key, std::string_view value) const {
    PnmReader reader(std::as_bytes(std::span(value)), name_);
    const int number = reader.number(key);
    if (reader.at_ != value.size()) fail_number(key);
    return number;
  }

  /// Without a type, the number of channels tells.
  void check_tuple(const std::string& tuple) const {
    for (const TupleRow& row : tuples) {
      if (row.channels == header_.channels && (tuple.empty() || tuple == row.name)) return;
    }
    fail_unread(name_, tuple.empty()
                           ? core::sentence("PAM of {} channels", header_.channels)
                           : core::sentence("PAM of {} channels of type {}", header_.channels, in_quotes(tuple)));
  }

  void make_scale() {
    scale_.resize(static_cast<std::size_t>(header_.most) + 1);
    for (std::size_t v = 0; v < scale_.size(); ++v) {
      scale_[v] = static_cast<std::uint8_t>(std::nearbyint(static_cast<double>(v) / header_.most * 255));
    }
  }

  std::uint8_t scaled(std::size_t sample) const {
    if (sample < scale_.size()) return scale_[sample];
    fail(core::sentence("it has a sample of {}, and its largest value is {}", sample, header_.most));
  }

  void read_digits(std::vector<std::uint8_t>& to) {
    for (std::uint8_t& sample : to) {
      skip_blanks();
      if (at_ == file_.size()) fail("it is cut short");
      const char digit = file_[at_++];
      if (digit != '0' && digit != '1') fail("a sample is no number that it can be");
      sample = digit == '0' ? 255 : 0;
    }
  }

  void read_bits(std::vector<std::uint8_t>& to) {
    const auto width = static_cast<std::size_t>(header_.width);
    const std::size_t stride = (width + 7) / 8;
    for (std::size_t i = 0; i < to.size(); ++i) {
      const std::size_t x = i % width;
      const auto byte = static_cast<unsigned char>(file_[at_ + i / width * stride + x / 8]);
      to[i] = (byte >> (7 - x % 8) & 1U) != 0 ? 0 : 255;
    }
  }

  void read_numbers(std::vector<std::uint8_t>& to) {
    for (std::uint8_t& sample : to) sample = scaled(static_cast<std::size_t>(number("sample")));
  }

  void read_raw(std::vector<std::uint8_t>& to) {
    const std::size_t width = header_.most > 255 ? 2 : 1;
    const auto* from = reinterpret_cast<const unsigned char*>(file_.data()) + at_;
    for (std::uint8_t& sample : to) {
      sample = scaled(width == 1 ? *from : static_cast<std::size_t>(from[0]) << 8U | from[1]);
      from += width;
    }
  }

  std::string_view file_;
  const std::string& name_;
  std::size_t at_ = 0;
  PnmHeader header_;
  std::vector<std::uint8_t> scale_;
};

}  // namespace

PictureFacts read_pnm_facts(std::span<const std::byte> file, const std::string& name) {
  const PnmHeader header = PnmReader(file, name).read_header();
  PictureFacts facts{.format = "PNM",
                     .width = header.width,
                     .height = header.height,
                     .channels = header.channels,
                     .bits = header.most > 255 ? 16 : 8};
  facts.memory = pixel_count(facts) * static_cast<std::uint64_t>(facts.channels);
  return facts;
}

core::Pixels read_pnm(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  PnmReader reader(file, name);
  reader.read_header();
  reader.check_size();
  core::Pixels pixels = core::make_pixels(facts.width, facts.height, facts.channels);
  reader.read_samples(pixels.bytes);
  return pixels;
}

}  // namespace lapis::io
