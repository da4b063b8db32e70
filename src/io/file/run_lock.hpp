// A file that one process at a time has, and that tells what it is about; it is there as long as the process is.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/file/file_descriptor.hpp"

namespace lapis::io {

/// The lock goes with the process, however that ends; the file stays behind one that was killed, or that said so.
class RunLock {
 public:
  /// Opens or makes the file. Throws Error{output} where that cannot be done, and for a link.
  explicit RunLock(std::filesystem::path file);
  /// Removes the file, where it is ours and its text is not to stay.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Whether it is ours now; false where a living process has it.
  bool acquire();

  /// What the process that has it, or had it, wrote last.
  std::string text() const;

  /// Writes in place of what is there, whole even where the process is killed meanwhile. A text that `stays` is for
  /// the next who has the lock. Throws Error{output}.
  void write(std::string_view text, bool stays = false);

 private:
  void open();

  std::filesystem::path file_;
  std::optional<FileDescriptor> lock_;
  bool is_ours_ = false;
  bool stays_ = false;
};

}  // namespace lapis::io
