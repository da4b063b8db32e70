// Output files: whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace lapis::io {

/// Throws Error{output} if a file could not be written at `path`: its folder is missing or not writable, `path` is a
/// folder, or something is there and `overwrite` is false. Called before heavy work; `write_file` checks again.
void check_writable(const std::filesystem::path& path, bool overwrite);

/// Throws Error{output} for what the system said of a file or a folder that cannot be written, with what to do.
[[noreturn]] void fail_to_write(const std::filesystem::path& path, int error_number);

/// Writes `bytes` to `path`. Whoever looks at `path`, even after a crash or a power cut, sees the old content or the
/// new one, never a part: the bytes go to a temporary file in the same folder, which is flushed to disk and renamed.
/// Without `overwrite` a file already there stays, even one that appeared this moment. With it, a symbolic link stays a
/// link and the file it leads to is replaced. A device or a pipe is written to directly.
/// Throws Error{output} in plain words for a full disk, missing rights, a missing folder and the rest; the temporary
/// file is gone by then, and so are those that runs which were killed left in the folder. For the error of a file size
/// limit (ulimit -f) the program must ignore SIGXFSZ.
/// Safe to call from many threads.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes, bool overwrite);

/// Makes the names in a folder last through a power cut, where the file system and the rights allow it.
void flush_folder(const std::filesystem::path& folder) noexcept;

/// Removes the temporary files of all writes under way in this process, and the folders not yet whole. May be called
/// from a signal handler that ends the process: it allocates nothing, locks nothing and leaves errno alone.
void remove_pending_files() noexcept;

}  // namespace lapis::io
