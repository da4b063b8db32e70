#include "pipeline/locations.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <link.h>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>

#include "core/family/families.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

/// The folder of the program, or of the shared library that this code is part of.
fs::path own_folder() {
  Dl_info info{};
  link_map* object = nullptr;
  const bool found = dladdr1(reinterpret_cast<const void*>(&own_folder), &info, reinterpret_cast<void**>(&object),
                             RTLD_DL_LINKMAP) != 0;
  std::error_code error;
  const bool is_library = found && object != nullptr && *object->l_name != '\0';
  const fs::path file = is_library ? fs::canonical(object->l_name, error) : fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : file.parent_path();
}

std::array<fs::path, 2> bundled_places() {
  const fs::path folder = own_folder();
  return {folder.parent_path() / "share" / "lapis" / "models", folder.parent_path().parent_path() / "models"};
}

/// The folders that a variable lists.
std::vector<fs::path> places_in(const char* variable) {
  std::vector<fs::path> places;
  const char* list = std::getenv(variable);
  std::istringstream stream(list == nullptr ? "" : list);
  for (std::string place; std::getline(stream, place, ':');) {
    if (!place.empty()) places.emplace_back(place);
  }
  return places;
}

/// The user's own things of one kind; empty where no place for them is known.
fs::path user_data(const char* kind) {
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return fs::path(data) / "lapis" / kind;
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return {};
  return fs::path(home) / ".local" / "share" / "lapis" / kind;
}

/// The known models that a name may mean: of the same letters and digits, of a family that it names, or nearly so.
std::string meant_models(const std::string& name, const std::vector<std::string>& names) {
  const std::string loose = core::loose_name(name);
  std::vector<std::string> likely;
  for (const std::string& known : names) {
    if (core::loose_name(known) == loose) return core::sentence(" Did you mean \"{}\"?", known);
    const std::string other = core::loose_name(known);
    bool alike = loose.size() >= 2 && other.find(loose) != std::string::npos;
    for (const core::FamilyRow& family : core::families()) {
      alike = alike || (loose.find(family.name) != std::string::npos && other.find(family.name) != std::string::npos);
    }
    if (alike) likely.push_back(known);
  }
  if (likely.empty()) return core::did_you_mean(name, names);
  std::string text = core::listed(likely);
  if (const std::size_t last = text.rfind(" and "); last != std::string::npos) text.replace(last, 5, " or ");
  return core::sentence(" Did you mean {}?", text);
}

/// Whether it is named as files of checkpoints are, there or not.
bool names_checkpoint(const std::string& name) {
  static constexpr std::array endings = {".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft"};
  const std::string ending = core::lower_ascii(fs::path(name).extension().string());
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

/// "owner/name", as Hugging Face calls its models.
bool names_repository(const std::string& name) {
  const std::size_t slash = name.find('/');
  const bool two = slash != std::string::npos && slash > 0 && slash + 1 < name.size() && name.rfind('/') == slash;
  return two && name.front() != '.' && name.front() != '~';
}

[[noreturn]] void refuse_checkpoint(const std::string& name) {
  const std::string plain = core::shell_word(fs::path(name).stem().string());
  std::error_code ignored;
  const char* here = fs::exists(name, ignored) ? "" : ", and it is not here";
  throw Error(
      ErrorKind::usage,
      core::sentence("{} is the name of a checkpoint{}; import it once, without a copy, and it is a model", name, here),
      core::sentence("Type: {lapis import} {} {name} {}, then {-model} {}", core::shell_word(name), plain, plain));
}

}  // namespace

fs::path engine_path() {
  constexpr const char* name = "liblapis_engine.so";
  const fs::path installed = own_folder().parent_path() / "lib" / "lapis" / name;
  const fs::path beside = own_folder() / name;
  std::error_code ignored;
  return !fs::exists(beside, ignored) && fs::exists(installed, ignored) ? installed : beside;
}

std::vector<fs::path> model_places() {
  std::vector<fs::path> places = places_in("LAPIS_MODELS");
  if (const fs::path own = user_models(); !own.empty()) places.push_back(own);
  for (const fs::path& place : bundled_places()) places.push_back(place);
  return places;
}

std::vector<fs::path> lora_places() {
  std::vector<fs::path> places = places_in("LAPIS_LORAS");
  if (const fs::path own = user_data("loras"); !own.empty()) places.push_back(own);
  return places;
}

fs::path user_models() { return user_data("models"); }

fs::path bundled_folder(const std::string& name) {
  const auto places = bundled_places();
  std::error_code ignored;
  return (fs::exists(places.front() / name, ignored) ? places.front() : places.back()) / name;
}

std::vector<fs::path> known_models() {
  std::map<std::string, fs::path> models;
  for (const fs::path& place : model_places()) {
    std::error_code error;
    for (fs::directory_iterator entry(place, error), end; !error && entry != end; entry.increment(error)) {
      const bool hidden = entry->path().filename().string().starts_with('.');  // an import that was cut off
      if (!hidden && fs::exists(entry->path() / "model.json", error))
        models.emplace(entry->path().filename(), entry->path());
    }
  }
  std::vector<fs::path> folders;
  for (const auto& [name, folder] : models) folders.push_back(folder);
  return folders;
}

bool names_file(const std::string& word) {
  static constexpr std::array endings = {".safetensors", ".latent", ".npy", ".png"};
  const fs::path path = word;
  std::error_code ignored;
  if (word == "-") return true;
  if (fs::exists(path, ignored)) return !fs::is_directory(path, ignored);
  return std::find(endings.begin(), endings.end(), core::lower_ascii(path.extension().string())) != endings.end();
}

void refuse_repository(const std::string& name) {
  constexpr std::string_view site = "https://huggingface.co/";
  const std::string asked = name.starts_with(site) ? name.substr(site.size()) : name;
  std::error_code ignored;
  if (!names_repository(asked) || names_checkpoint(asked) || fs::exists(name, ignored)) return;
  const std::string plain = core::shell_word(fs::path(asked).filename().string());
  throw Error(ErrorKind::usage, core::sentence("there is no folder \"{}\", and lapis opens no network", name),
              core::sentence("Download the model ({}), then: {lapis import} {}",
                             core::sentence("hf download {} --local-dir {}", core::shell_word(asked), plain), plain));
}

fs::path find_model(const std::string& name) {
  std::error_code ignored;
  if (fs::is_directory(name, ignored)) return name;
  if (names_checkpoint(name)) refuse_checkpoint(name);
  refuse_repository(name);
  if (name.find('/') != std::string::npos) return name;
  std::vector<std::string> names;
  for (const fs::path& folder : known_models()) {
    if (folder.filename() == name) return folder;
    names.push_back(folder.filename());
  }
  throw Error(
      ErrorKind::usage, core::sentence("there is no model \"{}\".{}", name, meant_models(name, names)),
      core::sentence("Known models: {}. A folder works too ({-model} path/to/model), and {lapis import} makes more",
                     names.empty() ? "none" : core::joined(names)));
}

}  // namespace lapis::pipeline
