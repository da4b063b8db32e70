#include "io/report/inspection_report.hpp"

#include <nlohmann/json.hpp>

#include "core/latent/units.hpp"
#include "io/file/json_text.hpp"
#include "io/report/json_parts.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

Json inspected_space_json(const Space& space) {
  Json json = {
      {"id", space.id},       {"lineage", space.lineage}, {"channels", space.channels}, {"downscale", space.downscale},
      {"scale", space.scale}, {"shift", space.shift}};
  if (!space.mean.empty()) {
    json["mean"] = space.mean;
    json["deviation"] = space.deviation;
  }
  return json;
}

Json channels_json(const std::vector<core::ChannelStatistics>& channels) {
  Json list = Json::array();
  for (const core::ChannelStatistics& channel : channels) {
    list.push_back({{"mean", channel.mean},
                    {"deviation", channel.deviation},
                    {"min", channel.min},
                    {"max", channel.max},
                    {"not_finite", channel.not_finite}});
  }
  return list;
}

Json size_json(const LatentInspection& latent) {
  if (!latent.has_space || !latent.has_size) return nullptr;
  const Passport& passport = latent.passport;
  return {passport.shape[3] * passport.space.downscale, passport.shape[2] * passport.space.downscale};
}

}  // namespace

std::string inspection_report(const LatentInspection& latent) {
  const Passport& passport = latent.passport;
  const bool is_partial = passport.sigma > 0;
  Json json = {{"latent", latent.name},
               {"format", latent.format},
               {"form", latent.format},
               {"space", latent.has_space ? inspected_space_json(passport.space) : Json()},
               {"units", latent.has_units ? Json(core::units_name(passport.units)) : Json()},
               {"layout", latent.layout == core::Layout::packed ? "packed" : "plain"},
               {"dtype", core::latent_dtype_name(passport.dtype)},
               {"shape", latent.has_size ? Json(passport.shape) : Json()},
               {"size", size_json(latent)},
               {"finished", !is_partial},
               {"sigma", passport.sigma}};
  if (is_partial) {
    json["path"] = passport.path == Path::flow ? "flow" : "variance_exploding";
    json["step"] = passport.step;
    json["draws"] = passport.draws;
  }
  json["vae_sha256"] = text_or_null(passport.vae_sha256);
  json["job"] = object_in(passport.job).value_or(text_or_null(passport.job));
  json["history"] = history_json(passport.history);
  json["row_step"] = latent.statistics.row_step;
  json["channels"] = channels_json(latent.statistics.channels);
  if (!latent.has_space) json["fits"] = matches_json(latent.fits);
  return json_text(json);
}

}  // namespace lapis::io
