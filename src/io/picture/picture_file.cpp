#include <cerrno>
#include <fcntl.h>
#include <span>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text/sentence.hpp"
#include "io/file/file_descriptor.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/mapped_file.hpp"
#include "io/picture/picture_reader.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t picture_head = 64;  // bytes that show whether a file is a picture

/// False for what only wastes the time and the memory to read it, as /dev/zero. A TGA has no mark of its own, but a
/// kind of colour map and of coding.
bool may_be_picture(std::span<const std::byte> head) {
  if (head.size() < picture_head || find_file_kind(head) != nullptr) return true;
  const auto coding = std::to_integer<int>(head[2]) & ~8;
  return std::to_integer<int>(head[1]) <= 1 && coding >= 1 && coding <= 3;
}

[[noreturn]] void fail_too_large(const std::string& name) {
  throw Error(ErrorKind::input,
              core::sentence("{} is larger than {} MB, the most that is read of a picture.", name,
                             largest_picture_file / 1'000'000),
              "Make the picture smaller first.");
}

/// `size` is what the file is known to have; 0 of a pipe.
std::vector<std::byte> read_picture(int descriptor, const std::string& name, std::size_t size) {
  return read_all(descriptor, name, size, [&](std::span<const std::byte> bytes) {
    if (bytes.size() > largest_picture_file) fail_too_large(name);
    return size > 0 || may_be_picture(bytes);
  });
}

std::vector<std::byte> read_path(const std::filesystem::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) fail_unreadable(path, ErrorKind::input, errno);
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) fail_unreadable(path, ErrorKind::input, errno);
  if (S_ISDIR(facts.st_mode)) {
    throw Error(ErrorKind::input, core::sentence("{} is a folder; a file is needed here.", path.string()));
  }
  const std::size_t size = S_ISREG(facts.st_mode) ? static_cast<std::size_t>(facts.st_size) : 0;
  if (size > largest_picture_file) fail_too_large(path.string());
  return read_picture(file.number(), path.string(), size);
}

}  // namespace

std::vector<std::byte> read_picture_file(const std::filesystem::path& path) {
  const std::string name = path == "-" ? standard_input : path.string();
  std::vector<std::byte> bytes = path == "-" ? read_picture(STDIN_FILENO, name, 0) : read_path(path);
  if (bytes.empty()) throw Error(ErrorKind::input, core::sentence("{} is empty; a picture is needed here.", name));
  return bytes;
}

}  // namespace lapis::io
