#include "pipeline/vae_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/model/vae_config.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/route_target.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

/// The numbers of a config, which has no lineage.
std::string numbers_text(const Space& space) {
  const std::string text = core::space_numbers(space);
  return text.substr(0, text.rfind(", lineage"));
}

bool has_numbers_of(const Space& numbers, Space space) {
  space.id = numbers.id;
  space.lineage = numbers.lineage;
  return numbers == space;
}

/// Which space a config's numbers are those of.
io::Checked recognized(const io::VaeConfig& config, const std::vector<std::string>& ids, const std::string& lineage) {
  io::Checked checked{config.file.string(), "", ids.empty() ? "" : ids.front(), "", {}};
  core::Route& route = checked.route;
  const std::string numbers = numbers_text(config.space);
  if (ids.empty()) {
    route.refused = true;
    route.reason =
        core::sentence("{} says {}: no space that lapis knows has these numbers.", config.file.string(), numbers);
    route.advice =
        core::sentence("{lapis list} spaces shows those it knows; compare the config with the one that was published");
    return checked;
  }
  route.reason = core::sentence("{} says {}: the numbers of {}. {}", config.file.string(), numbers, core::listed(ids),
                                lineage.empty() ? "Of which training its weights come no config tells."
                                                : core::sentence("Its weights are those of lineage {}.", lineage));
  return checked;
}

}  // namespace

std::optional<io::Checked> contradiction(const Model& model) {
  const std::optional<io::VaeConfig> config = io::vae_config_of(model);
  if (!config || has_numbers_of(config->space, model.space)) return std::nullopt;
  const std::vector<std::string> ids = core::spaces_with_numbers(config->space);
  io::Checked checked{
      config->file.string(), model.name, ids.empty() ? "" : ids.front(), core::space_name(model.space), {}};
  checked.route.refused = true;
  checked.route.reason = core::sentence(
      "{} says {}{}; model.json of {} says {} ({}). Latents would be read by the wrong numbers.", config->file.string(),
      numbers_text(config->space), ids.empty() ? "" : core::sentence(", the numbers of {}", core::listed(ids)),
      model.name, core::space_name(model.space), core::space_numbers(model.space));
  checked.route.advice = "Take the VAE that belongs to the model, or correct whichever of the two files is wrong";
  return checked;
}

VaeFolder read_vae_folder(const std::string& name, ModelCatalog& catalog) {
  const fs::path folder = find_model(name);
  std::error_code ignored;
  if (fs::exists(folder / "model.json", ignored)) {
    const Model& model = catalog.open(name);
    return {decoder_target(model), contradiction(model)};
  }
  const io::VaeConfig config = io::read_vae_config(folder);
  const std::vector<std::string> ids = core::spaces_with_numbers(config.space);
  VaeFolder vae;
  if (const Model* model = catalog.owner_of_weights(io::vae_weights(config))) {
    vae.target = decoder_target(*model);
    vae.target.space = config.space;
    vae.target.space.id = model->space.id;
    vae.target.space.lineage = model->space.lineage;
    vae.finding = contradiction(*model);
  } else {
    vae.target.name = name;
    vae.target.space = config.space;
    vae.target.space.id = ids.empty() ? "unknown" : ids.front();
  }
  if (!vae.finding) vae.finding = recognized(config, ids, vae.target.space.lineage);
  return vae;
}

}  // namespace lapis::pipeline
