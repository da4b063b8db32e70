#include "cli/inspect_latent.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cli/latent_options.hpp"
#include "cli/terminal.hpp"
#include "cli/terminal_picture.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/preview.hpp"
#include "core/latent/space_match.hpp"
#include "core/latent/units.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_statistics.hpp"
#include "io/latent/untagged_latent.hpp"
#include "io/report/inspection_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/preview.hpp"
#include "pipeline/run_route.hpp"

namespace lapis::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

io::LatentInspection look_at(const io::LatentSource& source, const io::LatentHints& hints, std::int64_t most) {
  io::LatentInspection found;
  found.name = source.name();
  found.has_space = io::has_space(source.bytes(), source.name(), hints);
  io::ForeignPassport latent;
  if (found.has_space) {
    latent = io::read_passport(source.bytes(), source.name(), hints);
    found.statistics = io::read_statistics(source.bytes(), source.name(), latent, most);
  } else {
    io::UntaggedLatent untagged = io::read_untagged(source.bytes(), source.name(), hints, most);
    latent = std::move(untagged.latent);
    found.statistics = std::move(untagged.statistics);
    found.fits = std::move(untagged.fits);
    found.has_size = untagged.has_size;
  }
  const io::LatentFormatRow& row = io::latent_format_row(latent.format);
  found.format = row.name;
  found.passport = std::move(latent.passport);
  found.layout = latent.layout;
  found.has_units = found.has_space || row.units.has_value() || hints.units.has_value();
  return found;
}

std::string space_text(const io::LatentInspection& latent) {
  if (!latent.has_space) {
    return core::sentence("not said; its numbers {}", core::matches_text(latent.fits, latent.statistics.channels));
  }
  const Space& space = latent.passport.space;
  return core::sentence("{}: {}", core::space_name(space), core::space_numbers(space));
}

std::string numbers_text(const io::LatentInspection& latent) {
  const Passport& passport = latent.passport;
  std::vector<std::string> sides;
  for (const std::int64_t side : passport.shape) sides.push_back(std::to_string(side));
  const std::string shape =
      latent.has_size ? core::joined(sides, " x ") : core::sentence("{} channels, sides not said", passport.shape[1]);
  const std::string units =
      latent.has_units ? core::sentence("{} units", core::units_name(passport.units)) : "units not said";
  return core::sentence("{}, {}, {}{}", shape, core::latent_dtype_name(passport.dtype), units,
                        latent.layout == core::Layout::packed ? ", packed into tokens" : "");
}

std::string state_text(const Passport& passport) {
  if (passport.sigma == 0) return "finished";
  return core::sentence("partially denoised: sigma {} after {} on a {} path, noise drawn {}",
                        core::number_text(passport.sigma),
                        core::count_text(static_cast<std::uint64_t>(passport.step), "step"),
                        passport.path == Path::flow ? "flow" : "variance-exploding",
                        core::count_text(static_cast<std::uint64_t>(passport.draws), "time"));
}

std::string rounded_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

void print_facts(const io::LatentInspection& latent) {
  const Passport& passport = latent.passport;
  Rows rows = {{"latent", latent.name},
               {"format", latent.format},
               {"space", space_text(latent)},
               {"numbers", numbers_text(latent)}};
  if (latent.has_space && latent.has_size)
    rows.push_back({"picture", core::sentence("{} pixels", core::size_text(core::picture_size(passport)))});
  rows.push_back({"state", state_text(passport)});
  rows.push_back({"vae", passport.vae_sha256.empty() ? "no digest" : core::sentence("sha256 {}", passport.vae_sha256)});
  for (const Transcode& entry : passport.history)
    rows.push_back({"history", pipeline::announcement(latent.name, entry)});
  print_table(rows);
}

void print_channels(const io::LatentInspection& latent) {
  Rows rows = {{"channel", "mean", "deviation", "min", "max", "NaN or Inf"}};
  const std::vector<core::ChannelStatistics>& channels = latent.statistics.channels;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const core::ChannelStatistics& channel = channels[c];
    rows.push_back({std::to_string(c), rounded_text(channel.mean), rounded_text(channel.deviation),
                    rounded_text(static_cast<double>(channel.min)), rounded_text(static_cast<double>(channel.max)),
                    std::to_string(channel.not_finite)});
  }
  print_line("");
  print_table(rows);
  const std::int64_t step = latent.statistics.row_step;
  if (step > 1) print_line(core::sentence("of every {}th row; --measure looks at all of them", step));
}

/// The colours of a latent's channels. Throws where none are known, and where nobody says which channels these are.
const core::LineageRow& preview_colours(const io::LatentInspection& latent) {
  if (!latent.has_space || !latent.has_size) {
    throw Error(ErrorKind::usage, core::sentence("{} does not say its space or its size, and a preview needs both. Say "
                                                 "them: --space ID:LINEAGE, --size WxH",
                                                 latent.name));
  }
  return pipeline::preview_colours(latent.name, latent.passport.space);
}

void print_preview(const io::LatentDocument& document, const core::LineageRow& lineage) {
  const Latent latent = pipeline::preview_latent(document, lineage);
  const bool colour = stdout_has_colour();
  for (int i = 0; i < static_cast<int>(latent.shape[0]); ++i) {
    const Image picture = narrowed(core::preview(latent.values, latent.shape, i, lineage), stdout_columns());
    const std::string text = colour ? half_blocks(picture) : shaded(picture);
    print_line("");
    print_drawing(text);
  }
}

}  // namespace

int inspect_latent(const io::LatentSource& source, const io::LatentHints& hints, bool measure, bool preview,
                   bool json) {
  if (preview && json) {
    throw Error(ErrorKind::usage, "--preview is for people and --json for programs. Leave one of the two out");
  }
  const io::LatentInspection latent = look_at(source, hints, measure ? io::all_numbers : io::quick_look);
  if (json) {
    print_json(io::inspection_report(latent));
    return 0;
  }
  const core::LineageRow* colours = preview ? &preview_colours(latent) : nullptr;
  print_facts(latent);
  print_channels(latent);
  if (!latent.passport.job.empty()) {
    print_text("\n[job]\n");
    print_block(latent.passport.job);
  }
  if (colours != nullptr) {
    print_preview(io::read_latent(source.bytes(), source.name(), hints, /*any_number=*/true).document, *colours);
  }
  return 0;
}

}  // namespace lapis::cli
