// A model folder in the making: all of it comes to be, or none.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/file/new_folder.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// What the origin of an imported model begins with.
inline constexpr std::string_view imported = "imported from ";

/// Where an imported model goes, and how.
struct ImportTarget {
  std::string name;     ///< of the model
  std::string output;   ///< folder to make; empty: NAME among the user's own models
  bool copy = false;    ///< copies large files, in place of links to them
  bool verify = false;  ///< records the sha256 of linked files too
  bool overwrite = false;
  bool skip_existing = false;        ///< a model that is there stays, and nothing is made
  bool dry_run = false;              ///< makes it, checks it, and removes it again, in place of keeping it
  std::vector<std::string> sources;  ///< files and folders that the user named, which --overwrite must not remove
};

/// The folder that a model of this name gets. Throws Error{usage} where the user has no folder for models.
std::filesystem::path destination(const std::string& name, const ImportTarget& place);

/// Files on their way into a model's folder, each recorded in `model.files`.
class ModelFolderBuilder {
 public:
  ModelFolderBuilder(Model& model, const ImportTarget& place, const io::NewFolder& folder)
      : model_(model), place_(place), folder_(folder) {}

  /// Puts a small file into the folder as `to`; returns where it lies there.
  std::filesystem::path put(const std::filesystem::path& from, const std::string& to);

  /// Links to a large file from `folder` of the model, or copies it; each once. With `digest` its sha256 is recorded
  /// in any case.
  std::filesystem::path link(const std::filesystem::path& from, const std::string& folder = "weights",
                             bool digest = false);

  /// Puts a tokenizer's files into the folder and lets `facts` name them there.
  void take_tokenizer(const std::string& name, TokenizerFacts& facts);

 private:
  Model& model_;
  const ImportTarget& place_;
  const io::NewFolder& folder_;
  std::map<std::filesystem::path, std::string> linked_;
};

/// Makes the folder of `model`: `fill` takes parts and tokenizers, then model.json is written, read back and checked.
/// Returns the folder. Throws Error{output} where it cannot be made or is there already (unless place.overwrite, and
/// never one that is no model, that has the new model's own weights in it, or that other known models link to),
/// Error{usage} for a name that cannot be one; then nothing is left behind.
std::filesystem::path make_model(Model& model, const ImportTarget& place,
                                 const std::function<void(ModelFolderBuilder&)>& fill);

}  // namespace lapis::pipeline
