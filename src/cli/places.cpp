#include "cli/places.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <sstream>
#include <system_error>

#include "core/suggest.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::cli {
namespace {

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : program.parent_path();
}

std::array<fs::path, 2> bundled_places() {
  const fs::path folder = program_folder();
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

}  // namespace

fs::path engine_path() {
  constexpr const char* name = "liblapis_engine.so";
  const fs::path installed = program_folder().parent_path() / "lib" / "lapis" / name;
  const fs::path beside = program_folder() / name;
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
  return std::find(endings.begin(), endings.end(), path.extension()) != endings.end();
}

fs::path find_model(const std::string& name) {
  std::error_code ignored;
  if (name.find('/') != std::string::npos || fs::is_directory(name, ignored)) return name;
  std::vector<std::string> names;
  for (const fs::path& folder : known_models()) {
    if (folder.filename() == name) return folder;
    names.push_back(folder.filename());
  }
  std::string known;
  for (const std::string& each : names) known += (known.empty() ? "" : ", ") + each;
  throw Error(ErrorKind::usage, "there is no model \"" + name + "\"." + core::did_you_mean(name, names) +
                                    "\nKnown models: " + (known.empty() ? "none" : known) +
                                    ". A folder works too: -m path/to/model");
}

}  // namespace lapis::cli
