#include "pipeline/import/model_folder_builder.hpp"

#include <span>
#include <system_error>

#include "core/model/model_check.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/new_folder.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_writer.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

/// What the new model would be made of must not go with the old one.
void refuse_replaced(const io::NewFolder& folder, const fs::path& source) {
  if (!folder.replaces(source)) return;
  throw Error(ErrorKind::output,
              core::sentence("{} is what the new model is made of, and would go with {}, where it lies ({overwrite}).",
                             source.string(), folder.place().string()),
              core::sentence("Name another folder for the model: {name} NAME or {-output} FOLDER"));
}

/// Other models may have linked to the weights that would go.
void refuse_linked(const io::NewFolder& folder) {
  if (!folder.replaces(folder.place())) return;
  for (const fs::path& model : known_models()) {
    if (folder.replaces(model)) continue;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(model, error), end; !error && entry != end; entry.increment(error)) {
      std::error_code ignored;
      if (!entry->is_symlink(ignored) || !folder.replaces(entry->path())) continue;
      throw Error(ErrorKind::output,
                  core::sentence("{} has weights that the model {} links to, so it is not replaced.",
                                 folder.place().string(), model.string()),
                  core::sentence("Choose another {name}, or remove that model first"));
    }
  }
}

/// Messages name the folder that a user asked for, whatever it is called while it is made.
std::string by_place(std::string text, const io::NewFolder& folder) {
  const std::string& draft = folder.draft().native();
  for (std::size_t at = text.find(draft); at != std::string::npos; at = text.find(draft, at)) {
    text.replace(at, draft.size(), folder.place().native());
  }
  return text;
}

}  // namespace

fs::path destination(const std::string& name, const ImportTarget& place) {
  if (!place.output.empty()) return place.output;
  const fs::path own = user_models();
  if (own.empty()) {
    throw Error(ErrorKind::usage,
                core::sentence("there is no home folder to put the model in. Name one: {-output} FOLDER"));
  }
  return own / name;
}

fs::path ModelFolderBuilder::put(const fs::path& from, const std::string& to) {
  const io::MappedFile file(from, ErrorKind::input);
  const fs::path target = model_.folder / to;
  fs::create_directories(target.parent_path());
  if (!fs::exists(target)) io::write_file(target, file.bytes(), false);
  model_.files[to] = {io::sha256(file.bytes()), file.bytes().size(), std::nullopt};
  return target;
}

fs::path ModelFolderBuilder::link(const fs::path& from, const std::string& folder, bool digest) {
  const fs::path whole = fs::canonical(from);
  refuse_replaced(folder_, whole);
  if (const auto known = linked_.find(whole); known != linked_.end()) return model_.folder / known->second;
  // Names of a model's files are keys of its JSON, and hold no controls.
  const std::string own = io::printable(whole.filename().string(), std::string_view::npos);
  std::string name = folder + "/" + own;
  for (int i = 2; model_.files.contains(name); ++i) {
    name = folder + "/" + std::to_string(i) + "-" + own;
  }
  fs::create_directories(model_.folder / folder);
  FileFacts facts{"", fs::file_size(whole), std::nullopt};
  if (place_.copy) {
    fs::copy_file(whole, model_.folder / name);
    if (fs::file_size(model_.folder / name) != facts.size) {
      throw Error(ErrorKind::input,
                  core::sentence("{} changed while it was copied. Run it again when it is whole", whole.string()));
    }
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

void ModelFolderBuilder::take_tokenizer(const std::string& name, TokenizerFacts& facts) {
  if (facts.kind == TokenizerKind::t5) {
    facts.model = put(facts.model, name + "/spiece.model");
    return;
  }
  facts.vocabulary = put(facts.vocabulary, name + "/vocab.json");
  facts.merges = put(facts.merges, name + "/merges.txt");
}

fs::path make_model(Model& model, const ImportTarget& place, const std::function<void(ModelFolderBuilder&)>& fill) {
  if (model.name.empty() || model.name.find('/') != std::string::npos || model.name.front() == '.') {
    throw Error(ErrorKind::usage,
                core::sentence("\"{}\" cannot be a model's name. Give it one: {name} NAME", model.name));
  }
  io::NewFolder folder(destination(model.name, place), place.overwrite);
  for (const std::string& source : place.sources) refuse_replaced(folder, source);
  refuse_linked(folder);
  std::error_code deleted;
  if (folder.replaces(fs::current_path(deleted))) {
    throw Error(ErrorKind::output,
                core::sentence("the working folder lies in {}, which would be replaced.", folder.place().string()),
                "Go elsewhere first: cd ..");
  }
  try {
    model.folder = folder.draft();
    ModelFolderBuilder draft(model, place, folder);
    fill(draft);
    const std::string document = io::model_document(model);
    io::write_file(model.folder / "model.json", std::as_bytes(std::span(document)), false);
    core::check_model(io::read_model(model.folder));
    if (!place.dry_run) folder.keep();
  } catch (const Error& error) {
    throw Error(error.kind(), by_place(error.marked_problem(), folder), by_place(error.marked_advice(), folder));
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::output,
                core::sentence("{} cannot be made: {} at {}.", folder.place().string(), error.code().message(),
                               by_place(error.path1(), folder)),
                core::sentence("Make room, or name another folder: {-output} FOLDER"));
  }
  return folder.place();
}

}  // namespace lapis::pipeline
