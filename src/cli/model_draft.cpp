#include "cli/model_draft.hpp"

#include <span>
#include <system_error>
#include <utility>

#include "cli/places.hpp"
#include "core/model_check.hpp"
#include "io/atomic_file.hpp"
#include "io/mapped_file.hpp"
#include "io/model_folder.hpp"
#include "io/model_writer.hpp"
#include "io/sha256.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::cli {
namespace {

/// A folder that becomes the model's when all of it is there, and goes where it does not.
class NewFolder {
 public:
  NewFolder(fs::path place, bool overwrite) : place_(std::move(place)), overwrite_(overwrite) {
    std::error_code error;
    if (fs::exists(place_, error) && !overwrite_) {
      throw Error(ErrorKind::output,
                  place_.string() + " exists already. Choose another --name, or replace it: --overwrite");
    }
    if (fs::exists(place_, error) && !fs::exists(place_ / "model.json", error)) {
      throw Error(ErrorKind::output,
                  place_.string() + " exists and is no model, so it is not replaced. Choose another name");
    }
    fs::create_directories(place_.parent_path(), error);
    if (error) fail(place_.parent_path(), error);
    draft_ = place_.parent_path() / ("." + place_.filename().string() + ".importing");
    fs::remove_all(draft_, error);
    fs::create_directories(draft_, error);
    if (error) fail(draft_, error);
  }

  ~NewFolder() {
    std::error_code ignored;
    if (!draft_.empty()) fs::remove_all(draft_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& draft() const { return draft_; }

  void keep() {
    std::error_code error;
    if (overwrite_) fs::remove_all(place_, error);
    fs::rename(draft_, place_, error);
    if (error) fail(place_, error);
    draft_.clear();
  }

 private:
  [[noreturn]] static void fail(const fs::path& path, const std::error_code& error) {
    throw Error(ErrorKind::output, path.string() + " cannot be made: " + error.message() +
                                       ".\nName a folder that you may write to: -o FOLDER");
  }

  fs::path place_;
  fs::path draft_;
  bool overwrite_;
};

fs::path destination(const Model& model, const ModelPlace& place) {
  if (!place.output.empty()) return fs::absolute(place.output);
  const fs::path own = user_models();
  if (own.empty()) throw Error(ErrorKind::usage, "there is no home folder to put the model in. Name one: -o FOLDER");
  return own / model.name;
}

}  // namespace

fs::path ModelDraft::put(const fs::path& from, const std::string& to) {
  const io::MappedFile file(from, ErrorKind::input);
  const fs::path target = model_.folder / to;
  fs::create_directories(target.parent_path());
  if (!fs::exists(target)) io::write_file(target, file.bytes(), false);
  model_.files[to] = {io::sha256(file.bytes()), file.bytes().size(), std::nullopt};
  return target;
}

fs::path ModelDraft::link(const fs::path& from, const std::string& folder, bool digest) {
  const fs::path whole = fs::canonical(from);
  if (const auto known = linked_.find(whole); known != linked_.end()) return model_.folder / known->second;
  std::string name = folder + "/" + whole.filename().string();
  for (int i = 2; model_.files.contains(name); ++i) {
    name = folder + "/" + std::to_string(i) + "-" + whole.filename().string();
  }
  fs::create_directories(model_.folder / folder);
  FileFacts facts{"", fs::file_size(whole), std::nullopt};
  if (place_.copy) {
    fs::copy_file(whole, model_.folder / name);
    facts.sha256 = io::sha256_file(model_.folder / name, ErrorKind::output);
  } else {
    fs::create_symlink(whole, model_.folder / name);
    facts.modified = io::last_change(whole);
    if (place_.verify || digest) facts.sha256 = io::sha256_file(whole, ErrorKind::input);
  }
  model_.files[name] = facts;
  linked_[whole] = name;
  return model_.folder / name;
}

void ModelDraft::take_tokenizer(const std::string& name, TokenizerFacts& facts) {
  if (facts.kind == TokenizerKind::t5) {
    facts.model = put(facts.model, name + "/spiece.model");
    return;
  }
  facts.vocabulary = put(facts.vocabulary, name + "/vocab.json");
  facts.merges = put(facts.merges, name + "/merges.txt");
}

fs::path make_model(Model& model, const ModelPlace& place, const std::function<void(ModelDraft&)>& fill) {
  if (model.name.empty() || model.name.find('/') != std::string::npos || model.name.front() == '.') {
    throw Error(ErrorKind::usage, "\"" + model.name + "\" cannot be a model's name. Give it one: --name NAME");
  }
  const fs::path target = destination(model, place);
  try {
    NewFolder folder(target, place.overwrite);
    model.folder = folder.draft();
    ModelDraft draft(model, place);
    fill(draft);
    const std::string document = io::model_document(model);
    io::write_file(model.folder / "model.json", std::as_bytes(std::span(document)), false);
    core::check_model(io::read_model(model.folder));
    folder.keep();
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::output, target.string() + " cannot be made: " + error.code().message() + " at " +
                                       error.path1().string() + ".\nMake room, or name another folder: -o FOLDER");
  }
  return target;
}

}  // namespace lapis::cli
