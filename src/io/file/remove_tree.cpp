#include "io/file/remove_tree.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace lapis::io {

namespace {

constexpr int deepest = 32;  ///< folders in folders; each costs a piece of a signal handler's stack

bool remove_at(int folder, const char* name, int depth) noexcept;

/// Removes the entries of a folder in pieces, beginning anew after each, until there are none or none will go.
void empty(int folder, int depth) noexcept {
  alignas(dirent64) std::array<char, 2048> piece;
  for (bool removed = true; removed;) {
    removed = false;
    if (::lseek(folder, 0, SEEK_SET) < 0) return;
    const ssize_t size = ::getdents64(folder, piece.data(), piece.size());
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(piece.data() + at);
      at += entry->d_reclen;
      const char* name = entry->d_name;
      if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
      removed = remove_at(folder, name, depth) || removed;
    }
  }
}

bool remove_at(int folder, const char* name, int depth) noexcept {
  if (::unlinkat(folder, name, 0) == 0 || errno == ENOENT) return true;
  if ((errno != EISDIR && errno != EPERM) || depth == deepest) return false;
  const int inner = ::openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (inner >= 0) {
    ::fchmod(inner, S_IRWXU);
    empty(inner, depth + 1);
    ::close(inner);
  }
  return ::unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

}  // namespace

bool remove_tree(const char* path) noexcept {
  const int saved = errno;
  const bool gone = remove_at(AT_FDCWD, path, 0);
  errno = saved;
  return gone;
}

}  // namespace lapis::io
