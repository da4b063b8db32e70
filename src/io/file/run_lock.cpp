#include "io/file/run_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "io/file/atomic_file.hpp"

namespace lapis::io {
namespace {

/// Texts fill so many bytes, or a multiple, and never fewer than the one before, which one call writes over whole.
constexpr std::size_t lock_text_size = 16384;

std::size_t size_of(int descriptor) {
  struct stat facts {};
  return ::fstat(descriptor, &facts) == 0 ? static_cast<std::size_t>(facts.st_size) : 0;
}

/// Whether an open file is the one that the name leads to.
bool is_there(int descriptor, const std::filesystem::path& file) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(file.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

}  // namespace

RunLock::RunLock(std::filesystem::path file) : file_(std::move(file)) { open(); }

RunLock::~RunLock() {
  if (is_ours_ && !stays_) ::unlink(file_.c_str());
}

void RunLock::open() {
  lock_.emplace(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (lock_->number() < 0) fail_to_write(file_, errno);
}

bool RunLock::acquire() {
  while (::flock(lock_->number(), LOCK_EX | LOCK_NB) == 0) {
    is_ours_ = is_there(lock_->number(), file_);
    stays_ = !text().empty();  // until something is written in its place
    if (is_ours_) return true;
    open();  // the process that had it has removed the file meanwhile
  }
  if (errno != EWOULDBLOCK) fail_to_write(file_, errno);
  return false;
}

std::string RunLock::text() const {
  std::string bytes(size_of(lock_->number()), ' ');
  const ssize_t read = ::pread(lock_->number(), bytes.data(), bytes.size(), 0);
  const std::string_view text(bytes.data(), read < 0 ? 0 : static_cast<std::size_t>(read));
  return std::string(text.substr(0, text.find_last_not_of(' ') + 1));
}

void RunLock::write(std::string_view text, bool stays) {
  const std::size_t filled = (text.size() / lock_text_size + 1) * lock_text_size;
  std::string padded(text);
  padded.resize(std::max(filled, size_of(lock_->number())), ' ');
  const ssize_t written = ::pwrite(lock_->number(), padded.data(), padded.size(), 0);
  if (written != static_cast<ssize_t>(padded.size())) fail_to_write(file_, written < 0 ? errno : ENOSPC);
  stays_ = stays;
}

}  // namespace lapis::io
