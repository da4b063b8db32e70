#include "io/file/new_folder.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/remove_tree.hpp"
#include "io/file/temporaries.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

namespace fs = std::filesystem;

constexpr const char* document_name = "model.json";

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw Error(ErrorKind::output, core::sentence("{} cannot be made: {}.", path.string(), reason),
              core::marked("Name a folder that you may write to: {-output} FOLDER"));
}

[[noreturn]] void fail_place_taken(const fs::path& place) {
  throw Error(ErrorKind::output, core::sentence("{} exists already.", place.string()),
              core::marked("Choose another {name}, or replace it: {overwrite}"));
}

fs::path whole_path(const fs::path& place) {
  std::error_code error;
  const fs::path whole = fs::absolute(place, error);
  if (error) {
    throw Error(ErrorKind::output,
                core::sentence("{} is named from a working folder that was deleted.", place.string()),
                core::marked("Go to one that is there, or name the whole path: {-output} /FOLDER"));
  }
  if (fs::path real = fs::canonical(whole, error); !error) return real;
  fs::path plain = whole.lexically_normal();
  return plain.has_filename() ? plain : plain.parent_path();
}

/// The files that a model's document names as the model's own, and the document itself.
std::set<std::string> own_files(const fs::path& model) {
  std::ifstream file(model / document_name);
  const nlohmann::json document = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("files") || !document["files"].is_object()) {
    throw Error(ErrorKind::output,
                core::sentence("{} is damaged and does not tell which files are the model's, so it is not replaced.",
                               (model / document_name).string()),
                "Remove the folder yourself, or choose another name");
  }
  std::set<std::string> own = {document_name};
  for (const auto& [name, facts] : document["files"].items()) own.insert(fs::path(name).lexically_normal());
  return own;
}

/// A second name for a file or a link; a copy where the file system gives none.
void link_or_copy(const fs::path& from, const fs::path& to) {
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0) == 0) return;
  fs::copy(from, to, fs::copy_options::copy_symlinks);
  std::error_code ignored;
  if (!fs::is_symlink(to, ignored)) fs::last_write_time(to, fs::last_write_time(from), ignored);
}

/// Which folder a path leads to; none where there is none.
std::optional<std::pair<dev_t, ino_t>> identity_of(const fs::path& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return std::nullopt;
  return std::pair(facts.st_dev, facts.st_ino);
}

/// Calls `look`, and again where another process has put another folder at `place` while it looked, for then what it
/// looked at may have gone.
template <typename Look>
void look_at(const fs::path& place, const Look& look) {
  while (true) {
    const auto before = identity_of(place);
    try {
      return look();
    } catch (const fs::filesystem_error& error) {
      const bool is_gone = error.code() == std::errc::no_such_file_or_directory;
      if (!is_gone || identity_of(place) == before) throw;
    }
  }
}

/// Everything below a folder, by its name in it.
std::set<std::string> names_below(const fs::path& folder) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    names.insert(entry.path().lexically_relative(folder));
  }
  return names;
}

/// Links or copies into `to` whatever lies in the model's folder `from` and is not the model's own. What is there by
/// that name stays; throws Error{output} for a file that is among the `new_names`.
void take_others(const fs::path& from, const fs::path& to, const std::set<std::string>& new_names = {}) {
  const std::set<std::string> own = own_files(from);
  for (auto entry = fs::recursive_directory_iterator(from); entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path below = entry->path().lexically_relative(from);
    if (own.contains(below)) continue;
    if (is_temporary(below)) {
      entry.disable_recursion_pending();
      continue;
    }
    const bool is_folder = fs::is_directory(entry->symlink_status());
    if (is_folder && !fs::is_empty(entry->path())) continue;  // made with the first thing in it
    const bool taken = fs::exists(fs::symlink_status(to / below));
    if (taken && !is_folder && new_names.contains(below)) {
      throw Error(ErrorKind::output,
                  core::sentence("{} is none of the model that is replaced, and the new one has a file of that name.",
                                 entry->path().string()),
                  "Move it away, or choose another name");
    }
    if (taken) continue;
    fs::create_directories((to / below).parent_path());
    if (is_folder) {
      fs::create_directory(to / below, entry->path());
    } else {
      link_or_copy(entry->path(), to / below);
    }
  }
}

/// Makes a file or a folder last through a power cut. File systems that cannot flush a folder say EINVAL.
void flush(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) return;  // a link, or what may be written but not read
  if (::fsync(file.number()) != 0 && errno != EINVAL) fail(path, system_reason(errno));
}

void flush_tree(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) flush(entry.path());
  flush(folder);
}

int rename_with(const fs::path& from, const fs::path& to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0 ? 0 : errno;
}

bool is_not_known(int error_number) { return error_number == EINVAL || error_number == ENOSYS; }

}  // namespace

NewFolder::NewFolder(const fs::path& place, bool overwrite) : place_(whole_path(place)), overwrite_(overwrite) {
  std::error_code error;
  const bool there = fs::exists(fs::symlink_status(place_, error));
  if (there && !overwrite_) fail_place_taken(place_);
  if (there && !fs::exists(place_ / document_name, error)) {
    throw Error(ErrorKind::output, core::sentence("{} exists and is no model, so it is not replaced.", place_.string()),
                "Choose another name");
  }
  if (there) {
    own_files(place_);
    const auto note = [&](const fs::path& path) {
      if (const auto identity = identity_of(path)) replaced_.insert(*identity);
    };
    try {
      look_at(place_, [&] {
        note(place_);
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(place_)) note(entry.path());
      });
    } catch (const fs::filesystem_error& failure) {
      fail(place_, failure.code().message());
    }
  }
  fs::create_directories(place_.parent_path(), error);
  if (error) fail(place_.parent_path(), error.message());
  clear_dead_temporaries(place_.parent_path());
  draft_ = temporary_in(place_.parent_path());
  pending_.emplace(draft_);
  if (::mkdir(draft_.c_str(), S_IRWXU | S_IRWXG | S_IRWXO) != 0) fail(place_, system_reason(errno));
  lock_.emplace(::open(draft_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  mark_living(*lock_);
}

bool NewFolder::replaces(const fs::path& path) const {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && replaced_.contains({facts.st_dev, facts.st_ino});
}

void NewFolder::keep() {
  if (overwrite_ && fs::exists(place_)) {
    const std::set<std::string> new_names = names_below(draft_);
    look_at(place_, [&] { take_others(place_, draft_, new_names); });
  }
  flush_tree(draft_);
  take_place();
  flush_folder(place_.parent_path());
  pending_.reset();  // what was replaced goes
}

void NewFolder::take_place() {
  const int error = rename_with(draft_, place_, RENAME_NOREPLACE);
  if (error == 0) return;
  if (error == EEXIST && overwrite_) return exchange();
  // A folder that is not empty is never replaced by a plain rename.
  const int plain = is_not_known(error) ? rename_with(draft_, place_, 0) : error;
  if (plain == 0) return;
  const bool exists = plain == EEXIST || plain == ENOTEMPTY || plain == ENOTDIR;
  if (exists && overwrite_) return exchange();
  if (exists) fail_place_taken(place_);
  fail(place_, system_reason(plain));
}

void NewFolder::exchange() {
  const int error = rename_with(draft_, place_, RENAME_EXCHANGE);
  if (is_not_known(error)) return exchange_in_two_steps();
  if (error != 0) fail(place_, system_reason(error));
  try {
    take_others(draft_, place_);  // what appeared there since it was looked at
  } catch (...) {
    rename_with(draft_, place_, RENAME_EXCHANGE);
    throw;
  }
}

void NewFolder::exchange_in_two_steps() {
  // Whatever ends the process between the two steps, the next run puts the old model back.
  const fs::path aside = temporary_in(place_.parent_path(), Leftover::put_back);
  const fs::path old = aside / place_.filename();
  if (::mkdir(aside.c_str(), S_IRWXU) != 0) fail(place_, system_reason(errno));
  const FileDescriptor lock(::open(aside.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  mark_living(lock);
  const auto undo = [&] {
    if (rename_with(old, place_, 0) == 0) remove_tree(aside.c_str());
  };
  if (const int error = rename_with(place_, old, 0); error != 0) {
    remove_tree(aside.c_str());
    fail(place_, system_reason(error));
  }
  if (const int error = rename_with(draft_, place_, 0); error != 0) {
    undo();
    fail(place_, system_reason(error));
  }
  try {
    take_others(old, place_);
  } catch (...) {
    if (rename_with(place_, draft_, 0) == 0) undo();
    throw;
  }
  const PendingFile replaced(aside);
}

}  // namespace lapis::io
