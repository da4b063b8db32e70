#include "io/mapped_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

#include "io/file_descriptor.hpp"

namespace lapis::io {

void fail_unreadable(const std::filesystem::path& path, ErrorKind kind, int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR) {
    throw Error(kind, path.string() + " does not exist. Check the spelling of the path.");
  }
  const bool forbidden = error_number == EACCES || error_number == EPERM;
  throw Error(kind, path.string() + " cannot be read: " + system_reason(error_number) + "." +
                        (forbidden ? "\nAsk its owner for the right to read it: chmod +r" : ""));
}

MappedFile::MappedFile(const std::filesystem::path& path, ErrorKind kind) {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) fail_unreadable(path, kind, errno);
  struct stat facts {};
  if (::fstat(file.number(), &facts) != 0) fail_unreadable(path, kind, errno);
  if (S_ISDIR(facts.st_mode)) throw Error(kind, path.string() + " is a folder; a file is needed here.");
  if (!S_ISREG(facts.st_mode)) throw Error(kind, path.string() + " is a pipe or a device; a file is needed here.");
  if (facts.st_size == 0) return;
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (address == MAP_FAILED) fail_unreadable(path, kind, errno);
  data_ = static_cast<const std::byte*>(address);
  size_ = size;
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
