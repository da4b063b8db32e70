#include "io/prompt/prompt_file.hpp"

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <optional>
#include <span>
#include <unistd.h>

#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/file_descriptor.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t size_limit = std::size_t{1} << 20U;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

[[noreturn]] void refuse_prompt(const std::string& what, const std::string& why) {
  throw Error(ErrorKind::input, core::sentence("{}: {}", what, why));
}

std::string read_text(int descriptor, const std::string& what) {
  const auto is_small = [&](std::span<const std::byte> read) {
    if (read.size() > size_limit) refuse_prompt(what, "is larger than 1 MiB, which no prompt is; name a text file");
    return true;
  };
  return std::string(as_chars(read_all(descriptor, what + ":", /*expected=*/0, is_small)));
}

std::string read_file(const std::string& path, const std::string& what) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) {
    refuse_prompt(what,
                  core::sentence("cannot be read: {}. Name a text file, or write \\@ for a prompt that begins with @",
                                 system_reason(errno)));
  }
  return read_text(file.number(), what);
}

std::string cleaned(std::string text, const std::string& what) {
  if (const std::optional<std::size_t> bad = core::first_bad_utf8(text)) {
    refuse_prompt(what, core::sentence("is not UTF-8: byte {} begins no character; save it as UTF-8", *bad));
  }
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

bool reads_stdin(std::string_view argument) { return argument == "-" || argument == "@-"; }

std::string prompt_text(std::string_view argument, std::string_view option) {
  if (reads_stdin(argument)) {
    const std::string what = core::sentence("{}: standard input", option);
    return cleaned(read_text(STDIN_FILENO, what), what);
  }
  if (argument.starts_with("\\@")) return std::string(argument.substr(1));
  if (!argument.starts_with('@')) return std::string(argument);
  const std::string path(argument.substr(1));
  const std::string what = core::sentence("{}: {}", option, printable(path));
  return cleaned(read_file(path, what), what);
}

}  // namespace lapis::io
