#include "io/diffusers_folder.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>

#include "io/json_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t longest_config = 1'000'000;
constexpr std::size_t longest_index = 16'000'000;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

/// A document of somebody else's making: keys that are null are taken for not there.
struct Config {
  JsonSource source;
  nlohmann::json document;

  Config(const fs::path& path, std::size_t longest)
      : source{path.string(), ErrorKind::input, "Fetch the file again, or export the model: scripts/export_graphs.py",
               longest} {
    const MappedFile file(path, ErrorKind::input);
    document = parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, source);
    if (!document.is_object()) return;
    for (auto member = document.begin(); member != document.end();) {
      member = member->is_null() ? document.erase(member) : std::next(member);
    }
  }

  JsonValue value() const { return {document, source}; }
};

/// The shards that an index names.
std::vector<fs::path> shards_of(const fs::path& index) {
  const Config config(index, longest_index);
  std::set<std::string> names;
  for (const auto& [tensor, file] : config.value().at("weight_map").members()) {
    const std::string name = file.name();
    if (name.find('/') != std::string::npos) file.fail("leads out of its folder");
    names.insert(name);
  }
  std::vector<fs::path> shards;
  for (const std::string& name : names) {
    if (!is_file(index.parent_path() / name)) {
      throw Error(ErrorKind::input,
                  index.string() + " names the shard " + name + ", which is not there.\nFetch the missing file.");
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

double number_of(const JsonValue& config, const std::string& key, double fallback) {
  return config.has(key) ? config.at(key).number(-1e6, 1e6) : fallback;
}

int integer_of(const JsonValue& config, const std::string& key, int fallback) {
  return config.has(key) ? static_cast<int>(config.at(key).integer(0, 1'000'000)) : fallback;
}

std::size_t choice_of(const JsonValue& config, const std::string& key, const Words& words, std::size_t fallback) {
  return config.has(key) ? config.at(key).choice(words) : fallback;
}

SamplingFacts flow_facts(const JsonValue& config) {
  SamplingFacts facts;
  facts.prediction = Prediction::flow;
  facts.train_steps = integer_of(config, "num_train_timesteps", 1000);
  FlowShift& shift = facts.flow_shift;
  shift.dynamic = config.has("use_dynamic_shifting") && config.at("use_dynamic_shifting").truth();
  shift.shift = number_of(config, "shift", 1);
  shift.base_shift = number_of(config, "base_shift", 0.5);
  shift.max_shift = number_of(config, "max_shift", 1.15);
  shift.base_tokens = integer_of(config, "base_image_seq_len", 256);
  shift.max_tokens = integer_of(config, "max_image_seq_len", 4096);
  return facts;
}

void refuse_others(const JsonValue& config) {
  if (config.has("trained_betas")) config.at("trained_betas").fail("is set; lapis has no betas by hand");
  if (config.has("rescale_betas_zero_snr") && config.at("rescale_betas_zero_snr").truth()) {
    config.at("rescale_betas_zero_snr").fail("is true; lapis has no rescaled betas");
  }
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
    throw Error(ErrorKind::input, (place / name).string() +
                                      " is a pickle, in which a program can hide: lapis does not open it.\nSave the "
                                      "pipeline again with save_pretrained(..., safe_serialization=True).");
  }
  return {};
}

std::optional<SamplingFacts> scheduler_facts(const fs::path& folder) {
  const fs::path path = folder / "scheduler" / "scheduler_config.json";
  if (!is_file(path)) return std::nullopt;
  const Config document(path, longest_config);
  const JsonValue config = document.value();
  if (config.has("_class_name") && config.at("_class_name").text() == "FlowMatchEulerDiscreteScheduler") {
    return flow_facts(config);
  }
  static const Words predictions{"epsilon", "v_prediction"};
  static const Words curves{"linear", "scaled_linear"};
  static const Words spacings{"leading", "linspace", "trailing"};
  refuse_others(config);
  SamplingFacts facts;
  facts.prediction =
      std::array{Prediction::epsilon, Prediction::v}[choice_of(config, "prediction_type", predictions, 0)];
  facts.train_steps = integer_of(config, "num_train_timesteps", 1000);
  facts.beta_curve =
      std::array{BetaCurve::linear, BetaCurve::scaled_linear}[choice_of(config, "beta_schedule", curves, 0)];
  facts.beta_start = number_of(config, "beta_start", 0.0001);
  facts.beta_end = number_of(config, "beta_end", 0.02);
  facts.spacing = std::array{Spacing::leading, Spacing::linspace,
                             Spacing::trailing}[choice_of(config, "timestep_spacing", spacings, 0)];
  facts.steps_offset = integer_of(config, "steps_offset", 0);
  return facts;
}

}  // namespace lapis::io
