#include "io/file/temporaries.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text/sentence.hpp"
#include "io/file/remove_tree.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view beginning = ".lapis-";
constexpr std::string_view removed_ending = ".tmp";
constexpr std::string_view put_back_ending = ".old";
constexpr std::time_t day = std::time_t{24} * 60 * 60;

struct Maker {
  std::uint64_t boot = 0;
  std::uint64_t pid = 0;
  std::uint64_t start = 0;  ///< clock ticks since boot, as the kernel counts them
  Leftover leftover = Leftover::remove;
};

/// The state of a process and when it began; none where the kernel does not say.
std::optional<std::pair<char, std::uint64_t>> look_at_process(std::uint64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(") ");  // a name may hold anything, brackets and blanks too
  if (name_end == std::string::npos) return std::nullopt;
  constexpr int fields_before_start = 19;
  std::size_t at = name_end + 2;
  const char state = text[at];
  for (int i = 0; i < fields_before_start && at != std::string::npos; ++i) at = text.find(' ', at + 1);
  std::uint64_t start = 0;
  if (at == std::string::npos) return std::nullopt;
  std::from_chars(text.data() + at + 1, text.data() + text.size(), start);
  return std::pair(state, start);
}

/// The first digits of what the kernel calls this boot, mixed with the number of the space that process numbers are
/// counted in (containers of one boot have their own); 0 where it says neither.
std::uint64_t this_boot() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::uint64_t number = 0;
  if (std::getline(file, text) && text.size() > 8) std::from_chars(text.data(), text.data() + 8, number, 16);
  struct stat space {};
  if (::stat("/proc/self/ns/pid", &space) == 0) number ^= static_cast<std::uint64_t>(space.st_ino) << 32U;
  return number;
}

Maker this_process() {
  const auto pid = static_cast<std::uint64_t>(::getpid());
  const auto facts = look_at_process(pid);
  return {this_boot(), pid, facts ? facts->second : 0, Leftover::remove};
}

/// Takes a number in hexadecimal and the "-" behind it, if any, from the front of `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.starts_with('-')) text.remove_prefix(1);
  return number;
}

std::optional<Maker> maker_of(std::string_view name) {
  const bool put_back = name.ends_with(put_back_ending);
  if (!name.starts_with(beginning) || (!put_back && !name.ends_with(removed_ending))) return std::nullopt;
  name.remove_prefix(beginning.size());
  name.remove_suffix(put_back ? put_back_ending.size() : removed_ending.size());
  const auto boot = take_number(name);
  const auto pid = take_number(name);
  const auto start = take_number(name);
  const auto random = take_number(name);
  if (!boot || !pid || !start || !random || !name.empty()) return std::nullopt;
  return Maker{*boot, *pid, *start, put_back ? Leftover::put_back : Leftover::remove};
}

bool lives(const Maker& maker) {
  if (::kill(static_cast<pid_t>(maker.pid), 0) != 0 && errno == ESRCH) return false;
  const auto facts = look_at_process(maker.pid);
  return !facts || (facts->first != 'Z' && facts->first != 'X' && facts->second == maker.start);
}

bool is_dead(const fs::path& path, const Maker& maker) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0 || facts.st_uid != ::geteuid()) return false;
  if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) return false;
  if (maker.boot == this_boot() ? lives(maker) : ::time(nullptr) - facts.st_mtime < day) return false;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file.number() >= 0 && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0;
}

/// Gives what a folder holds its place beside the folder, where that is free.
void put_back(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path place = folder.parent_path() / entry->path().filename();
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(place, ignored))) fs::rename(entry->path(), place, ignored);
  }
}

/// True for the first call with this folder.
bool is_new(const fs::path& folder) {
  static std::mutex mutex;
  static std::set<fs::path> seen;
  const std::lock_guard lock(mutex);
  return seen.insert(folder).second;
}

}  // namespace

fs::path temporary_in(const fs::path& folder, Leftover leftover) {
  const Maker self = this_process();
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    throw Error(ErrorKind::output,
                core::sentence("{}: no random number for the name of a temporary file", folder.string()));
  }
  std::array<char, 80> name{};
  std::snprintf(name.data(), name.size(), ".lapis-%llx-%llx-%llx-%llx%s", static_cast<unsigned long long>(self.boot),
                static_cast<unsigned long long>(self.pid), static_cast<unsigned long long>(self.start),
                static_cast<unsigned long long>(number),
                (leftover == Leftover::put_back ? put_back_ending : removed_ending).data());
  return folder / name.data();
}

void mark_living(const FileDescriptor& file) { ::flock(file.number(), LOCK_EX | LOCK_NB); }

bool is_temporary(const fs::path& path) { return maker_of(path.filename().native()).has_value(); }

void clear_dead_temporaries(const fs::path& folder) noexcept {
  try {
    if (!is_new(folder)) return;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::optional<Maker> maker = maker_of(entry->path().filename().native());
      if (!maker || !is_dead(entry->path(), *maker)) continue;
      if (maker->leftover == Leftover::put_back) put_back(entry->path());
      remove_tree(entry->path().c_str());
    }
  } catch (const std::exception&) {
    return;  // what memory does not suffice for waits for another run
  }
}

ScratchFolder::ScratchFolder()
    : path_([] {
        std::error_code error;
        const fs::path place = fs::temp_directory_path(error);
        if (!error) {
          clear_dead_temporaries(place);
          fs::path path = temporary_in(place);
          if (::mkdir(path.c_str(), S_IRWXU) == 0) return path;
        }
        throw Error(ErrorKind::output,
                    error ? std::string("TMPDIR names no folder.")
                          : core::sentence("no folder can be made in {}.", place.string()),
                    "Let TMPDIR name a folder that you may write to");
      }()),
      pending_(path_),
      lock_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  mark_living(lock_);
}

}  // namespace lapis::io
