// Names of files and folders that are not whole yet, and what becomes of those whose makers were killed.
#pragma once

#include <filesystem>

#include "io/file/file_descriptor.hpp"
#include "io/file/pending_files.hpp"

namespace lapis::io {

/// What is to become of a temporary whose maker is dead.
enum class Leftover {
  remove,    ///< nobody needs it
  put_back,  ///< a folder with one thing in it, which goes back beside the folder if nothing has its name there
};

/// A name in `folder` that nobody has: ".lapis-BOOT-PID-START-RANDOM.tmp", or ".old" for what is to be put back. It
/// tells whose it is.
std::filesystem::path temporary_in(const std::filesystem::path& folder, Leftover leftover = Leftover::remove);

/// Marks what is open as `file` as that of a living process, for as long as it is open. Where the file system knows no
/// locks its name alone has to tell.
void mark_living(const FileDescriptor& file);

/// Whether `path` is named as `temporary_in` names.
bool is_temporary(const std::filesystem::path& path);

/// Removes from `folder`, or puts back, the temporaries of this user whose makers are dead beyond doubt: nobody holds
/// their lock, and no process has the number and the time of start in their name. Those of another boot, which may be
/// of another machine that shares the disk, are dead after a day. Looks into each folder once in the life of the
/// process; errors leave things as they are.
void clear_dead_temporaries(const std::filesystem::path& folder) noexcept;

/// A folder where the system has temporary ones, for this user alone. It goes with this, and at a signal; what SIGKILL
/// leaves is removed by the next one that is made.
class ScratchFolder {
 public:
  /// Throws Error{output} where none can be made.
  ScratchFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  PendingFile pending_;
  FileDescriptor lock_;
};

}  // namespace lapis::io
