// Folders of models: whole or not at all.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "io/file/file_descriptor.hpp"
#include "io/file/pending_files.hpp"

namespace lapis::io {

/// A folder in the making beside its place, under a name that nobody else has, locked while this process lives. Whoever
/// looks at the place, even after a crash or a power cut, sees the old model or the new one, whole. A draft that was
/// not kept is removed with the object, by a signal's handler (`remove_pending_files`), or, after SIGKILL, when the
/// next folder is made beside it.
class NewFolder {
 public:
  /// Throws Error{output} where something is at `place` and `overwrite` is false, where what is there is no model, or
  /// one whose model.json does not tell which files are its own, and where the folder cannot be made. A link to a
  /// folder means the folder.
  NewFolder(const std::filesystem::path& place, bool overwrite);

  const std::filesystem::path& place() const { return place_; }
  const std::filesystem::path& draft() const { return draft_; }

  /// Whether `path`, links followed, is the folder that is replaced or anything in it, by whatever way it is reached.
  bool replaces(const std::filesystem::path& path) const;

  /// Gives the draft its place. Of a model that it replaces, the files that its model.json does not name stay where
  /// they are. Throws Error{output} where that cannot be, also where another process was first; then the old model is
  /// there.
  void keep();

 private:
  void take_place();
  void exchange();
  void exchange_in_two_steps();

  std::filesystem::path place_;
  std::filesystem::path draft_;
  bool overwrite_;
  std::set<std::pair<dev_t, ino_t>> replaced_;  ///< every file and folder there
  std::optional<PendingFile> pending_;
  std::optional<FileDescriptor> lock_;
};

}  // namespace lapis::io
