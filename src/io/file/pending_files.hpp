// Which temporary files and folders a signal handler has to remove.
#pragma once

#include <cstddef>
#include <filesystem>

namespace lapis::io {

/// Keeps the path of one temporary file or folder where `remove_pending_files` finds it. If it is destroyed before
/// `keep` was called, it removes what lies there.
class PendingFile {
 public:
  /// Throws Error{output} if the path is too long or if too many files (16) are being written at once.
  explicit PendingFile(const std::filesystem::path& path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  /// The file has reached its place, or its name is gone: there is nothing to remove.
  void keep();

 private:
  std::size_t slot_;
  bool kept_ = false;
};

}  // namespace lapis::io
