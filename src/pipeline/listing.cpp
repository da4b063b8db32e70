#include "pipeline/listing.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/plan_route.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_weights.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace lapis::pipeline {
namespace {

/// One thing that can be listed.
struct Listing {
  const char* name;
  Rows (*rows)(const ListTools& tools);
};

Rows model_rows(const ListTools& tools) {
  Rows rows{{"model", "family", "space", "size", "dtype", "disk", "licence", "folder"}};
  for (const std::filesystem::path& folder : known_models()) {
    try {
      const Model model = io::read_model(folder);
      std::uint64_t bytes = 0;
      for (const auto& [name, facts] : model.files) bytes += facts.size;
      rows.push_back({folder.filename(), model.family, core::space_name(model.space),
                      core::size_text({model.defaults.width, model.defaults.height}), io::weight_facts(model).dtypes,
                      core::bytes_text(bytes), model.licence, folder.lexically_normal()});
    } catch (const Error& error) {
      const std::string& advice = error.marked_advice();  // one broken folder does not hide the others
      tell(tools.events.warning, error.marked_problem() + (advice.empty() ? "" : " " + advice));
    }
  }
  return rows;
}

Rows family_rows(const ListTools&) {
  Rows rows{{"family", "space", "sizes", "predicts", "text encoders", "guidance"}};
  for (const core::FamilyRow& row : core::families()) {
    std::vector<std::string> predictions;
    for (const Prediction prediction : row.predictions) predictions.emplace_back(core::prediction_name(prediction));
    std::vector<std::string> kinds;
    for (const core::TokenizerRow& each : row.tokenizers) kinds.emplace_back(core::tokenizer_kind_name(each.kind));
    rows.push_back({row.name, row.space, core::sentence("multiples of {}", row.size_multiple),
                    core::joined(predictions), core::joined(kinds),
                    row.guidance == core::GuidanceKind::passes ? "two passes" : "an input, if any"});
  }
  return rows;
}

/// A list of numbers, of which the first two do for a reader; "-" for none.
std::string numbers(const std::vector<double>& values, bool whole) {
  if (values.empty()) return "-";
  std::string text;
  for (const double value : std::span(values).first(whole ? values.size() : 2)) text += core::number_text(value) + " ";
  return whole ? text.substr(0, text.size() - 1) : text + "...";
}

Rows space_rows(const ListTools& tools) {
  Rows rows{{"space", "channels", "downscale", "scale", "shift", "mean", "deviation", "lineage", "packing", "used by"}};
  for (const core::SpaceRow& row : core::spaces()) {
    const Space& space = row.space;
    rows.push_back({space.id, std::to_string(space.channels), std::to_string(space.downscale),
                    core::number_text(space.scale), core::number_text(space.shift), numbers(space.mean, tools.whole),
                    numbers(space.deviation, tools.whole), space.lineage, std::to_string(row.packing), row.used_by});
  }
  return rows;
}

Rows lineage_rows(const ListTools&) {
  Rows rows{{"lineage", "space", "colours", "spread", "source"}};
  for (const core::LineageRow& row : core::lineages()) {
    rows.push_back(
        {row.name, row.space, row.rgb.empty() ? "-" : "known", row.spread.empty() ? "-" : "measured", row.source});
  }
  return rows;
}

Rows format_rows(const ListTools&) {
  Rows rows{{"format", "units", "says its space", "packs", "endings", "meaning"}};
  for (const io::LatentFormatRow& row : io::latent_formats()) {
    const bool lapis = row.format == io::LatentFormat::lapis;
    const std::string units = lapis                      ? "as it says"
                              : !row.units               ? "as told"
                              : *row.units == Units::vae ? "vae"
                                                         : "model";
    rows.push_back({row.name, units, row.has_space ? "yes" : "no", row.packs ? "yes" : "no",
                    row.endings.empty() ? "-" : core::joined(row.endings), row.description});
  }
  return rows;
}

/// The families with a denoiser on a path for which `fits(family, path)` holds.
template <class Fits>
std::string families_that(const Fits& fits) {
  std::vector<std::string> names;
  for (const core::FamilyRow& family : core::families()) {
    const auto has_path = [&](Prediction prediction) { return fits(family, path_of(prediction)); };
    if (std::any_of(family.predictions.begin(), family.predictions.end(), has_path)) names.push_back(family.name);
  }
  return core::joined(names);
}

Rows sampler_rows(const ListTools&) {
  Rows rows{{"sampler", "label", "order", "calls", "noise", "eta", "families", "also called"}};
  for (const core::SamplerRow& row : core::samplers()) {
    rows.push_back({row.name, row.label, std::to_string(row.order), std::to_string(row.evaluations),
                    row.uses_noise ? "yes" : "no", row.eta ? core::number_text(*row.eta) : "-",
                    families_that([&](const core::FamilyRow&, Path path) { return core::supports(row, path); }),
                    core::joined(row.aliases)});
  }
  return rows;
}

Rows schedule_rows(const ListTools& tools) {
  Rows rows{{"schedule", "label", "families", "meaning", "also called"}};
  for (const core::ScheduleRow& row : core::schedules()) {
    const auto fits = [&](const core::FamilyRow& family, Path path) { return core::supports(row, path, family.space); };
    rows.push_back({row.name, row.label, families_that(fits), tools.spell(row.help), core::joined(row.aliases)});
  }
  return rows;
}

Rows spacing_rows(const ListTools&) {
  Rows rows{{"spacing", "meaning"}};
  for (const core::SpacingRow& row : core::spacings()) rows.push_back({row.name, row.help});
  return rows;
}

/// A space, and what known models have for it.
struct KnownSpace {
  Space space;
  bool decodes = false;
  bool encodes = false;
};

std::vector<KnownSpace> known_spaces(ModelCatalog& catalog) {
  const std::vector<const Model*> models = catalog.all();
  std::vector<KnownSpace> known;
  for (const core::SpaceRow& row : core::spaces()) known.push_back({row.space});
  for (const Model* model : models) {
    const auto same = [&](const KnownSpace& space) { return space.space == model->space; };
    if (std::none_of(known.begin(), known.end(), same)) known.push_back({model->space});
  }
  for (KnownSpace& space : known) {
    for (const Model* model : models) {
      if (!core::same_values(space.space, model->space)) continue;
      space.decodes = space.decodes || model->parts.contains("vae_decoder");
      space.encodes = space.encodes || model->parts.contains("vae_encoder");
    }
  }
  return known;
}

core::Route route_between(const KnownSpace& from, const KnownSpace& to) {
  constexpr std::int64_t side = 1024;
  Passport latent;
  latent.space = from.space;
  latent.shape = {1, from.space.channels, side / from.space.downscale, side / from.space.downscale};
  core::RouteTarget target;
  target.name = core::space_name(to.space);
  target.space = to.space;
  return core::plan_route({"LATENT", latent, core::Layout::plain}, target, {true, true});
}

std::string at_hand(const KnownSpace& from, const KnownSpace& to, core::Verdict verdict) {
  if (verdict != core::Verdict::re_encode) return "needs no VAE";
  if (!from.decodes) return core::sentence("no decoder of {}", core::space_name(from.space));
  if (!to.encodes) return core::sentence("no encoder of {}", core::space_name(to.space));
  return "yes";
}

/// The verdict of each pair is that on a finished latent with both VAEs at hand; the last column says whether they are.
Rows route_rows(const ListTools& tools) {
  Rows rows{{"from", "to", "verdict", "decodes", "encodes", "at hand"}};
  const std::vector<KnownSpace> known = known_spaces(tools.catalog);
  for (const KnownSpace& from : known) {
    for (const KnownSpace& to : known) {
      const core::Route route = route_between(from, to);
      const core::Verdict verdict = core::verdict(route);
      const core::RouteCost cost = core::cost(route);
      rows.push_back({core::space_name(from.space), core::space_name(to.space),
                      std::string(core::verdict_name(verdict)), std::to_string(cost.decodes),
                      std::to_string(cost.encodes), at_hand(from, to, verdict)});
    }
  }
  return rows;
}

/// The formats, under the word that they were called by before.
Rows form_rows(const ListTools& tools) {
  Rows rows = format_rows(tools);
  rows.front().front() = "form";
  return rows;
}

constexpr Listing former_listing{"forms", form_rows};

constexpr std::array listings{
    Listing{"models", model_rows},     Listing{"families", family_rows},    Listing{"spaces", space_rows},
    Listing{"lineages", lineage_rows}, Listing{"routes", route_rows},       Listing{"formats", format_rows},
    Listing{"samplers", sampler_rows}, Listing{"schedules", schedule_rows}, Listing{"spacings", spacing_rows},
};

const Listing& find_listing(const std::string& name) {
  if (name == former_listing.name) return former_listing;
  const auto found = std::ranges::find(listings, name, &Listing::name);
  if (found != listings.end()) return *found;
  const std::vector<std::string> names = listing_names();
  throw Error(ErrorKind::usage, core::sentence("there is no list of \"{}\", only of {}{}", name, core::joined(names),
                                               core::guess(name, names)));
}

}  // namespace

std::vector<std::string> listing_names() { return core::row_names(listings); }

Rows listed(const std::string& name, const ListTools& tools) { return find_listing(name).rows(tools); }

}  // namespace lapis::pipeline
