// A file's bytes without a copy.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "lapis/error.hpp"

namespace lapis::io {

/// Throws Error{kind}: that `path` does not exist or cannot be read, by the errno value that opening it ended with.
[[noreturn]] void fail_unreadable(const std::filesystem::path& path, ErrorKind kind, int error_number);

/// Whether a regular file is at `path`, links followed; false where that cannot be found out.
bool is_file(const std::filesystem::path& path);

/// A regular file, mapped read-only. The bytes stay valid, at the same address, until the object that owns them is
/// destroyed; moving it hands the mapping over. Many processes that map one file share its memory.
/// Safe to read from many threads. A file that another program cuts short while it is mapped raises SIGBUS, as with any
/// mapping (`mapped_path` is for its handler); lapis itself only ever replaces whole files.
class MappedFile {
 public:
  /// Throws Error{kind} if there is no such file, if it is a folder or a device, or if it cannot be read.
  MappedFile(const std::filesystem::path& path, ErrorKind kind);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// The whole file; empty for an empty file and for an object that was moved from.
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Tells the kernel whether a few bytes here and there will be read, so that it does not read megabytes around them.
  void expect_scattered_reads(bool scattered) const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The path of the file that is mapped at `address`, by whoever mapped it, as the kernel tells it, in as much of
/// `buffer` as that takes; what terminals may obey in it is a "?". Empty for an address that belongs to no file. May be
/// called from a signal handler: it allocates nothing, locks nothing and throws nothing.
std::string_view mapped_path(const void* address, std::span<char> buffer) noexcept;

}  // namespace lapis::io
