#include "io/file/atomic_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/file_descriptor.hpp"
#include "io/file/pending_files.hpp"
#include "io/file/temporaries.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

namespace fs = std::filesystem;

struct Reason {
  std::string problem;
  std::string advice;
};

[[noreturn]] void fail(const fs::path& path, const Reason& reason) {
  throw Error(ErrorKind::output, core::sentence("{} cannot be written: {}.", path.string(), reason.problem),
              reason.advice);
}

[[noreturn]] void fail_exists(const fs::path& path) {
  throw Error(ErrorKind::output, core::sentence("{} exists already.", path.string()),
              core::marked("Choose another name, or replace it: {overwrite}"));
}

Reason output_reason(int error_number) {
  switch (error_number) {
    case ENOSPC: return {"no space is left on the disk", "Free some and run it again"};
    case EDQUOT: return {"the disk quota is used up", "Free some space and run it again"};
    case EFBIG: return {"it would exceed the limit on file sizes", "Raise the limit: ulimit -f"};
    case EACCES:
    case EPERM: return {"no permission", "Choose another folder, or change its rights"};
    case EROFS: return {"the disk is mounted read-only", "Choose another folder"};
    case ENOENT: return {"its folder does not exist", "Create it, or choose another one"};
    case ENOTDIR: return {"a part of its path is a file, not a folder", "Choose another folder"};
    case EISDIR: return {"it is a folder", "Name a file in it"};
    case EFAULT: return {"what it is made of was cut short while it was read", "Run it again"};
    case ENAMETOOLONG: return {"its name is too long", "Choose a shorter one"};
    default: return {system_reason(error_number), ""};
  }
}

}  // namespace

void fail_to_write(const fs::path& path, int error_number) { fail(path, output_reason(error_number)); }

namespace {

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// What lies at `path`, symbolic links followed; none if nothing does.
std::optional<struct stat> look_at(const fs::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0) return facts;
  // A link that leads nowhere is still something that a new file would replace.
  if (errno == ENOENT && ::lstat(path.c_str(), &facts) == 0) return facts;
  if (errno == ENOENT) return std::nullopt;
  fail_to_write(path, errno);
}

bool is_stream(const struct stat& facts) { return S_ISCHR(facts.st_mode) || S_ISFIFO(facts.st_mode); }

/// Where the bytes go. Renaming over a link would leave the file it leads to as it was.
fs::path resolve_link(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_symlink(path, ignored)) return path;
  std::error_code error;
  fs::path target = fs::canonical(path, error);
  if (error) fail(path, {"it is a symbolic link that leads nowhere", "Remove it, or choose another name"});
  return target;
}

void write_all(int file, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

/// Closes a file that was written to: some file systems report a full disk only here.
void close_checked(FileDescriptor& file, const fs::path& path) {
  if (::close(file.release()) != 0 && errno != EINTR) fail_to_write(path, errno);
}

void write_stream(const fs::path& path, std::span<const std::byte> bytes) {
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.number() < 0) fail_to_write(path, errno);
  write_all(file.number(), bytes, path);
  close_checked(file, path);
}

/// Gives the temporary file the name `path` in one step.
void move_into_place(const fs::path& temporary, const fs::path& path, bool overwrite) {
  if (overwrite) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_to_write(path, errno);
    return;
  }
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return;
  // Not every file system can do that; a hard link refuses to replace a file just as well.
  if (errno == EINVAL || errno == ENOSYS) {
    if (::link(temporary.c_str(), path.c_str()) == 0) {
      ::unlink(temporary.c_str());
      return;
    }
  }
  if (errno == EEXIST) fail_exists(path);
  fail_to_write(path, errno);
}

}  // namespace

void flush_folder(const fs::path& folder) noexcept {
  const FileDescriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (open.number() >= 0) ::fsync(open.number());
}

void check_writable(const fs::path& path, bool overwrite) {
  if (path.empty()) throw Error(ErrorKind::output, "the output has no name.", "Name a file");
  const std::optional<struct stat> present = look_at(path);
  if (present && S_ISDIR(present->st_mode)) fail_to_write(path, EISDIR);
  if (!path.has_filename()) fail_to_write(path, ENOENT);
  if (present && is_stream(*present)) return;
  if (present && !overwrite) fail_exists(path);
  const fs::path target = present ? resolve_link(path) : path;
  struct stat folder {};
  if (::stat(folder_of(target).c_str(), &folder) != 0) fail_to_write(path, errno);
  if (!S_ISDIR(folder.st_mode)) fail_to_write(path, ENOTDIR);
  if (::access(folder_of(target).c_str(), W_OK | X_OK) != 0) fail_to_write(path, errno);
}

void write_file(const fs::path& path, std::span<const std::byte> bytes, bool overwrite) {
  check_writable(path, overwrite);
  const std::optional<struct stat> present = look_at(path);
  if (present && is_stream(*present)) return write_stream(path, bytes);
  const fs::path target = resolve_link(path);
  clear_dead_temporaries(folder_of(target));
  const fs::path temporary = temporary_in(folder_of(target));
  PendingFile pending(temporary);
  FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.number() < 0) fail_to_write(path, errno);
  mark_living(file);
  write_all(file.number(), bytes, path);
  if (::fsync(file.number()) != 0) fail_to_write(path, errno);
  close_checked(file, path);
  move_into_place(temporary, target, overwrite);
  pending.keep();
  flush_folder(folder_of(target));
}

}  // namespace lapis::io
