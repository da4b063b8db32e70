#include "io/file/line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 16;
constexpr std::string_view mark_of_utf8 = "\xEF\xBB\xBF";

[[noreturn]] void fail_read(const std::string& name, int error_number) {
  throw Error(ErrorKind::input, core::sentence("{} cannot be read: {}", name, system_reason(error_number)));
}

}  // namespace

LineReader::LineReader(const std::string& path, std::size_t longest)
    : name_(path == "-" ? standard_input : path),
      longest_(longest),
      file_(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      buffer_(piece_size) {
  if (file_.number() < 0) fail_read(name_, errno);
}

bool LineReader::fill() {
  begin_ = 0;
  ssize_t read = -1;
  do {
    read = ::read(file_.number(), buffer_.data(), buffer_.size());
  } while (read < 0 && errno == EINTR);
  if (read < 0) fail_read(name_, errno);
  end_ = static_cast<std::size_t>(read);
  return end_ != 0;
}

std::optional<Line> LineReader::next() {
  Line line;
  line.number = ++number_;
  bool has_any = false;
  while (begin_ < end_ || fill()) {
    has_any = true;
    const auto first = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
    const auto last = buffer_.begin() + static_cast<std::ptrdiff_t>(end_);
    const auto stop = std::find(first, last, '\n');
    const auto kept = static_cast<std::ptrdiff_t>(longest_ - std::min(longest_, line.text.size()));
    line.is_too_long = line.is_too_long || stop - first > kept;
    line.text.append(first, first + std::min(kept, stop - first));
    begin_ = static_cast<std::size_t>(stop - buffer_.begin()) + (stop == last ? 0 : 1);
    if (stop != last) break;
  }
  if (!has_any) return std::nullopt;
  if (line.number == 1 && line.text.starts_with(mark_of_utf8)) line.text.erase(0, mark_of_utf8.size());
  if (line.text.ends_with('\r')) line.text.pop_back();
  return line;
}

std::optional<int> LineReader::awaited() const {
  const auto first = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
  const auto last = buffer_.begin() + static_cast<std::ptrdiff_t>(end_);
  return std::find(first, last, '\n') == last ? std::optional(file_.number()) : std::nullopt;
}

}  // namespace lapis::io
