#include "io/model/vae_config.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/text/sentence.hpp"
#include "io/file/foreign_json.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::size_t longest_vae_config = 1'000'000;
constexpr std::int64_t most_channels = 1024;
constexpr double farthest = 1e6;

constexpr const char* known_class = "AutoencoderKL";

/// One number for each channel; empty where there are none.
std::vector<double> channel_numbers(const JsonValue& config, const std::string& key, int channels, double low) {
  std::vector<double> numbers;
  if (!config.has(key)) return numbers;
  for (const JsonValue& item : config.at(key).items()) numbers.push_back(item.number(low, farthest));
  if (numbers.size() != static_cast<std::size_t>(channels)) {
    config.at(key).fail("has {} numbers for {} channels", numbers.size(), channels);
  }
  return numbers;
}

/// Every block but the last halves the sides.
int downscale_of(const JsonValue& config) {
  const std::size_t blocks = config.at("block_out_channels").items().size();
  if (blocks < 1 || blocks > 8) config.at("block_out_channels").fail("has {} blocks", blocks);
  return 1 << (blocks - 1);
}

/// AutoencoderKL was made for SD1: what its config leaves out is SD1's.
Space space_of(const JsonValue& config) {
  constexpr double smallest = 1e-6;
  Space space = core::find_space("sd15")->space;
  space.id.clear();
  space.lineage.clear();
  if (config.has("latent_channels")) {
    space.channels = static_cast<int>(config.at("latent_channels").integer(1, most_channels));
  }
  space.downscale = downscale_of(config);
  if (config.has("scaling_factor")) space.scale = config.at("scaling_factor").number(smallest, farthest);
  if (config.has("shift_factor")) space.shift = config.at("shift_factor").number(-farthest, farthest);
  space.mean = channel_numbers(config, "latents_mean", space.channels, -farthest);
  space.deviation = channel_numbers(config, "latents_std", space.channels, smallest);
  if (space.mean.empty() != space.deviation.empty()) {
    config.fail("has one of latents_mean and latents_std; expected both or none");
  }
  return space;
}

/// The config in `file`; none where `strict` is off and the file does not say that it is one.
std::optional<VaeConfig> read_config(const fs::path& file, bool strict) {
  const JsonSource source{file.string(), ErrorKind::model, "It should be the config.json of a diffusers AutoencoderKL",
                          longest_vae_config};
  nlohmann::json document = read_json(source);
  const JsonValue config(document, source);
  if (!document.is_object()) config.fail("is no object");
  erase_nulls(document);
  const std::string kind = config.has("_class_name") ? config.at("_class_name").text() : "";
  if (!strict && kind != known_class) return std::nullopt;
  if (!kind.empty() && kind != known_class) {
    config.at("_class_name").fail("is {}; only {} is known", in_quotes(kind), known_class);
  }
  return VaeConfig{file, space_of(config)};
}

}  // namespace

VaeConfig read_vae_config(const fs::path& folder) {
  for (const fs::path& file : {folder / "config.json", folder / "vae" / "config.json"}) {
    if (is_file(file)) return *read_config(file, true);
  }
  throw Error(
      ErrorKind::model,
      core::sentence("{}: there is neither a model.json nor a config.json or vae/config.json.", folder.string()),
      "Name a model, its folder, or the folder of a diffusers VAE");
}

std::optional<VaeConfig> vae_config_of(const Model& model) {
  for (const char* part : {"vae_decoder", "vae_encoder"}) {
    const auto found = model.parts.find(part);
    if (found == model.parts.end() || found->second.weights.empty()) continue;
    const fs::path file = found->second.weights.front().parent_path() / "config.json";
    if (is_file(file)) return read_config(file, false);
  }
  return std::nullopt;
}

fs::path vae_weights(const VaeConfig& config) {
  return config.file.parent_path() / "diffusion_pytorch_model.safetensors";
}

}  // namespace lapis::io
