#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_weights.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/routes.hpp"

namespace lapis::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

/// One thing that can be listed.
struct Table {
  const char* name;
  Rows (*rows)();
};

Rows model_rows() {
  Rows rows{{"model", "family", "space", "size", "dtype", "disk", "licence", "folder"}};
  for (const std::filesystem::path& folder : pipeline::known_models()) {
    try {
      const Model model = io::read_model(folder);
      std::uint64_t bytes = 0;
      for (const auto& [name, facts] : model.files) bytes += facts.size;
      rows.push_back({folder.filename(), model.family, core::space_name(model.space),
                      core::size_text({model.defaults.width, model.defaults.height}), io::weight_facts(model).dtypes,
                      core::bytes_text(bytes), model.licence, folder.lexically_normal()});
    } catch (const Error& error) {
      print_warning(error);  // one broken folder does not hide the others
    }
  }
  return rows;
}

Rows family_rows() {
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

/// The first two of a list of numbers, "-" for none.
std::string numbers(const std::vector<double>& values) {
  if (values.empty()) return "-";
  return core::sentence("{} {} ...", core::number_text(values[0]), core::number_text(values[1]));
}

Rows space_rows() {
  Rows rows{{"space", "channels", "downscale", "scale", "shift", "mean", "deviation", "lineage", "packing", "used by"}};
  for (const core::SpaceRow& row : core::spaces()) {
    const Space& space = row.space;
    rows.push_back({space.id, std::to_string(space.channels), std::to_string(space.downscale),
                    core::number_text(space.scale), core::number_text(space.shift), numbers(space.mean),
                    numbers(space.deviation), space.lineage, std::to_string(row.packing), row.used_by});
  }
  return rows;
}

Rows lineage_rows() {
  Rows rows{{"lineage", "space", "colours", "spread", "source"}};
  for (const core::LineageRow& row : core::lineages()) {
    rows.push_back(
        {row.name, row.space, row.rgb.empty() ? "-" : "known", row.spread.empty() ? "-" : "measured", row.source});
  }
  return rows;
}

Rows format_rows() {
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

Rows sampler_rows() {
  Rows rows{{"sampler", "label", "order", "calls", "noise", "eta", "families", "also called"}};
  for (const core::SamplerRow& row : core::samplers()) {
    rows.push_back({row.name, row.label, std::to_string(row.order), std::to_string(row.evaluations),
                    row.uses_noise ? "yes" : "no", row.eta ? core::number_text(*row.eta) : "-",
                    families_that([&](const core::FamilyRow&, Path path) { return core::supports(row, path); }),
                    core::joined(row.aliases)});
  }
  return rows;
}

Rows schedule_rows() {
  Rows rows{{"schedule", "label", "families", "meaning", "also called"}};
  for (const core::ScheduleRow& row : core::schedules()) {
    const auto fits = [&](const core::FamilyRow& family, Path path) { return core::supports(row, path, family.space); };
    rows.push_back({row.name, row.label, families_that(fits), spelled(row.help), core::joined(row.aliases)});
  }
  return rows;
}

Rows spacing_rows() {
  Rows rows{{"spacing", "meaning"}};
  for (const core::SpacingRow& row : core::spacings()) rows.push_back({row.name, row.help});
  return rows;
}

Rows route_rows() {
  pipeline::ModelCatalog catalog;
  return pipeline::route_rows(catalog);
}

/// The formats, for who still calls them forms.
Rows form_rows() {
  Rows rows = format_rows();
  rows.front().front() = "form";
  return rows;
}

constexpr Table former_table{"forms", form_rows};

constexpr std::array tables{
    Table{"models", model_rows},     Table{"families", family_rows},    Table{"spaces", space_rows},
    Table{"lineages", lineage_rows}, Table{"routes", route_rows},       Table{"formats", format_rows},
    Table{"samplers", sampler_rows}, Table{"schedules", schedule_rows}, Table{"spacings", spacing_rows},
};

std::vector<std::string> table_names() {
  std::vector<std::string> names;
  for (const Table& table : tables) names.emplace_back(table.name);
  return names;
}

const Table& find_table(const std::string& name) {
  if (name == former_table.name) return former_table;
  for (const Table& table : tables) {
    if (name == table.name) return table;
  }
  const std::vector<std::string> names = table_names();
  throw Error(ErrorKind::usage, core::sentence("there is no list of \"{}\", only of {}{}", name, core::joined(names),
                                               core::guess(name, names)));
}

int list(const std::string& name, bool json) {
  const Rows rows = find_table(name).rows();
  if (json) {
    print_json(io::table_report(rows));
  } else {
    print_table(rows);
  }
  return 0;
}

}  // namespace

Run declare_list(CLI::App& app) {
  struct Options {
    std::string name = "models";
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  OptionGroup(app).value("what", options->name, "WHAT", core::either_of(table_names()))->capture_default_str();
  declare_json(app, options->json, "The same as a JSON array");
  app.footer("Examples:\n  lapis list\n  lapis list samplers --json");
  return [options] { return list(options->name, options->json); };
}

}  // namespace lapis::cli
