#include "io/file/mapped_file.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/file_descriptor.hpp"
#include "io/file/shortage.hpp"

namespace lapis::io {

void fail_unreadable(const std::filesystem::path& path, ErrorKind kind, int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR) {
    throw Error(kind, core::sentence("{} does not exist. Check the spelling of the path.", path.string()));
  }
  if (error_number == ENOMEM) throw memory_shortage();
  if (error_number == EMFILE || error_number == ENFILE) {
    throw Error(ErrorKind::device, core::sentence("{} cannot be read: too many files are open.", path.string()),
                "Raise the limit: ulimit -n 1024");
  }
  const bool forbidden = error_number == EACCES || error_number == EPERM;
  throw Error(kind, core::sentence("{} cannot be read: {}.", path.string(), system_reason(error_number)),
              forbidden ? "Ask its owner for the right to read it: chmod +r" : "");
}

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

namespace {

/// Reads /proc/self/maps byte by byte through a small piece, within a signal handler.
class Maps {
 public:
  Maps() : file_(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC)) {}

  /// The next byte; none at the end.
  std::optional<char> next() noexcept {
    if (at_ == size_) {
      const ssize_t size = file_.number() < 0 ? 0 : ::read(file_.number(), piece_.data(), piece_.size());
      if (size <= 0) return std::nullopt;
      size_ = static_cast<std::size_t>(size);
      at_ = 0;
    }
    return piece_[at_++];
  }

  /// The hexadecimal number that comes next, and the byte behind it.
  std::uintptr_t next_number() noexcept {
    std::uintptr_t number = 0;
    for (auto c = next(); c; c = next()) {
      const bool digit = *c >= '0' && *c <= '9';
      if (!digit && (*c < 'a' || *c > 'f')) break;
      number = number * 16 + static_cast<std::uintptr_t>(digit ? *c - '0' : *c - 'a' + 10);
    }
    return number;
  }

 private:
  FileDescriptor file_;
  std::array<char, 1024> piece_{};
  std::size_t size_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view mapped_path(const void* address, std::span<char> buffer) noexcept {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  Maps maps;
  while (true) {
    const std::uintptr_t begin = maps.next_number();
    const std::uintptr_t end = maps.next_number();
    if (end == 0) return {};
    const bool found = begin <= wanted && wanted < end;
    std::size_t size = 0;
    bool in_path = false;  // the first "/" of a line is its path's
    for (auto c = maps.next(); c && *c != '\n'; c = maps.next()) {
      in_path = in_path || *c == '/';
      const bool plain = static_cast<unsigned char>(*c) >= 0x20 && *c != 0x7F;
      if (found && in_path && size < buffer.size()) buffer[size++] = plain ? *c : '?';
    }
    if (found) return {buffer.data(), size};
  }
}

MappedFile::MappedFile(const std::filesystem::path& path, ErrorKind kind) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) fail_unreadable(path, kind, errno);
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) fail_unreadable(path, kind, errno);
  if (S_ISDIR(facts.st_mode))
    throw Error(kind, core::sentence("{} is a folder; a file is needed here.", path.string()));
  if (!S_ISREG(facts.st_mode)) {
    throw Error(kind, core::sentence("{} is a pipe or a device; a file is needed here.", path.string()));
  }
  if (facts.st_size == 0) return;
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (address == MAP_FAILED) fail_unreadable(path, kind, errno);
  data_ = static_cast<const std::byte*>(address);
  size_ = size;
}

void MappedFile::expect_scattered_reads(bool scattered) const {
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, scattered ? MADV_RANDOM : MADV_NORMAL);
}

MappedFile::~MappedFile() {
  // munmap takes void*, though it writes nothing.
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace lapis::io
