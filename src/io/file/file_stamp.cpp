#include "io/file/file_stamp.hpp"

#include <sys/stat.h>

namespace lapis::io {

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  constexpr std::int64_t nanoseconds = 1'000'000'000;
  return FileStamp{static_cast<std::int64_t>(facts.st_dev), static_cast<std::int64_t>(facts.st_ino), facts.st_size,
                   facts.st_mtim.tv_sec * nanoseconds + facts.st_mtim.tv_nsec,
                   facts.st_ctim.tv_sec * nanoseconds + facts.st_ctim.tv_nsec};
}

}  // namespace lapis::io
