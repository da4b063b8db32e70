#include "io/diffusers_folder.hpp"

#include <set>
#include <system_error>

#include "io/foreign_json.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::size_t longest_index = 16'000'000;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

/// The shards that an index names.
std::vector<fs::path> shards_of(const fs::path& index) {
  const ForeignJson config(index, "Fetch the file again.", longest_index);
  std::set<std::string> names;
  for (const auto& [tensor, file] : config.value().at("weight_map").members()) {
    const std::string name = file.name();
    if (name.find('/') != std::string::npos) file.fail("leads out of its folder");
    names.insert(name);
  }
  std::vector<fs::path> shards;
  for (const std::string& name : names) {
    if (!is_file(index.parent_path() / name)) {
      throw Error(ErrorKind::input, index.string() + " names the shard " + name + ", which is not there.",
                  "Fetch the missing file.");
    }
    shards.push_back(index.parent_path() / name);
  }
  return shards;
}

std::vector<fs::path> weights_in(const fs::path& place) {
  for (const char* stem : {"diffusion_pytorch_model", "model"}) {
    for (const char* variant : {"", ".fp16", ".bf16"}) {
      const std::string name = stem + std::string(variant) + ".safetensors";
      if (is_file(place / name)) return {place / name};
      // Two ways of naming the index of a variant are about.
      for (const std::string& index :
           {name + ".index.json", stem + std::string(".safetensors.index") + variant + ".json"}) {
        if (is_file(place / index)) return shards_of(place / index);
      }
    }
  }
  return {};
}

}  // namespace

bool is_diffusers_folder(const fs::path& folder) { return is_file(folder / "model_index.json"); }

std::vector<fs::path> component_weights(const fs::path& folder, const std::string& component) {
  const fs::path place = folder / component;
  std::error_code error;
  if (!fs::is_directory(place, error)) return {};
  std::vector<fs::path> files = weights_in(place);
  if (!files.empty()) return files;
  for (const char* name : {"diffusion_pytorch_model.bin", "pytorch_model.bin"}) {
    if (!is_file(place / name)) continue;
    throw Error(ErrorKind::input,
                (place / name).string() + " is a pickle, in which a program can hide: lapis does not open it.",
                "Save the pipeline again with save_pretrained(..., safe_serialization=True).");
  }
  return {};
}

}  // namespace lapis::io
