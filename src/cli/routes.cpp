#include "cli/routes.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "cli/places.hpp"
#include "core/model/model_check.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/verdict.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

/// A space, and what known models have for it.
struct Place {
  Space space;
  bool decodes = false;
  bool encodes = false;
};

std::vector<Model> sound_models() {
  std::vector<Model> models;
  for (const std::filesystem::path& folder : known_models()) {
    try {
      Model model = io::read_model(folder);
      core::check_model(model);
      models.push_back(std::move(model));
    } catch (const Error&) {
      continue;  // `lapis list` tells of broken folders
    }
  }
  return models;
}

std::vector<Place> all_places() {
  const std::vector<Model> models = sound_models();
  std::vector<Place> places;
  for (const core::SpaceRow& row : core::spaces()) places.push_back({row.space});
  for (const Model& model : models) {
    const auto same = [&](const Place& place) { return place.space == model.space; };
    if (std::none_of(places.begin(), places.end(), same)) places.push_back({model.space});
  }
  for (Place& place : places) {
    for (const Model& model : models) {
      if (!core::same_values(place.space, model.space)) continue;
      place.decodes = place.decodes || model.parts.contains("vae_decoder");
      place.encodes = place.encodes || model.parts.contains("vae_encoder");
    }
  }
  return places;
}

core::Ruling ruling_between(const Place& from, const Place& to) {
  constexpr std::int64_t side = 1024;
  Passport latent;
  latent.space = from.space;
  latent.shape = {1, from.space.channels, side / from.space.downscale, side / from.space.downscale};
  core::Destination destination;
  destination.name = core::space_name(to.space);
  destination.space = to.space;
  return core::judge("LATENT", latent, core::Layout::plain, destination, {true, true, true});
}

std::string at_hand(const Place& from, const Place& to, core::Verdict verdict) {
  if (verdict != core::Verdict::re_encode) return "needs no VAE";
  if (!from.decodes) return "no decoder of " + core::space_name(from.space);
  if (!to.encodes) return "no encoder of " + core::space_name(to.space);
  return "yes";
}

}  // namespace

std::vector<std::vector<std::string>> route_rows() {
  std::vector<std::vector<std::string>> rows{{"from", "to", "verdict", "decodes", "encodes", "at hand"}};
  const std::vector<Place> places = all_places();
  for (const Place& from : places) {
    for (const Place& to : places) {
      const core::Ruling ruling = ruling_between(from, to);
      rows.push_back({core::space_name(from.space), core::space_name(to.space),
                      std::string(core::verdict_name(ruling.verdict)), std::to_string(ruling.decodes),
                      std::to_string(ruling.encodes), at_hand(from, to, ruling.verdict)});
    }
  }
  return rows;
}

}  // namespace lapis::cli
