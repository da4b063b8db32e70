#include "io/checkpoint/diffusers_folder.hpp"

#include <set>
#include <string_view>
#include <system_error>

#include "core/text/sentence.hpp"
#include "io/file/foreign_json.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::size_t longest_index = 16'000'000;

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
      throw Error(ErrorKind::input, core::sentence("{} names the shard {}, which is not there.", index.string(), name),
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

/// What stands between "diffusion_pytorch_model" and ".safetensors" in a file's name: "non_ema" of
/// "diffusion_pytorch_model.non_ema-00001-of-00002.safetensors"; "" where it is no such file.
std::string variant_of(const std::string& file) {
  for (const std::string_view stem : {"diffusion_pytorch_model.", "model."}) {
    if (!file.starts_with(stem) || !file.ends_with(".safetensors")) continue;
    const std::string rest = file.substr(stem.size());
    return rest.substr(0, rest.find_first_of(".-"));
  }
  return "";
}

/// Throws for weights of a component that are not taken: where `place` has any of these, it has no others.
void refuse_others(const fs::path& place) {
  for (const char* name : {"diffusion_pytorch_model.bin", "pytorch_model.bin"}) {
    if (!is_file(place / name)) continue;
    throw Error(
        ErrorKind::input,
        core::sentence("{} is a pickle, in which a program can hide: lapis does not open it.", (place / name).string()),
        "Save the pipeline again with save_pretrained(..., safe_serialization=True).");
  }
  for (const char* name : {"diffusion_flax_model.msgpack", "flax_model.msgpack", "model.onnx", "openvino_model.xml"}) {
    if (!is_file(place / name)) continue;
    throw Error(
        ErrorKind::input,
        core::sentence("{} is for another framework, and no safetensors lie beside it.", (place / name).string()),
        "Take the model with its weights in safetensors.");
  }
  std::error_code error;
  for (fs::directory_iterator entry(place, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string variant = variant_of(name);
    if (variant.empty()) continue;
    throw Error(ErrorKind::input,
                core::sentence("{} has weights of the variant {} alone: {}.", place.string(), in_quotes(variant),
                               printable(name)),
                "lapis takes those without a variant, fp16 and bf16: put them beside it, or take these by calling the "
                "file so, without the variant.");
  }
}

}  // namespace

bool is_diffusers_folder(const fs::path& folder) { return is_file(folder / "model_index.json"); }

std::string pipeline_class(const fs::path& folder) {
  try {
    const ForeignJson index(folder / "model_index.json", "", longest_index);
    return index.value().has("_class_name") ? index.value().at("_class_name").text() : "";
  } catch (const Error&) {
    return "";
  }
}

std::string quant_method(const fs::path& component) {
  const fs::path path = component / "config.json";
  if (!is_file(path)) return "";
  const ForeignJson config(path, "Correct the file, or take another export of the model.", longest_index);
  if (!config.value().has("quantization_config")) return "";
  const JsonValue facts = config.value().at("quantization_config");
  if (facts.has("quant_method")) return facts.at("quant_method").text();
  return facts.has("load_in_4bit") || facts.has("load_in_8bit") ? "bitsandbytes" : "a method without a name";
}

std::vector<fs::path> component_weights(const fs::path& folder, const std::string& component) {
  const fs::path place = folder / component;
  std::error_code error;
  if (!fs::is_directory(place, error)) return {};
  std::vector<fs::path> files = weights_in(place);
  if (!files.empty()) return files;
  refuse_others(place);
  return {};
}

}  // namespace lapis::io
