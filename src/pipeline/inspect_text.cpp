#include "pipeline/inspect_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/units.hpp"
#include "core/model/model_check.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "pipeline/run_route.hpp"

namespace lapis::pipeline {
namespace {

std::string sampling_text(const SamplingFacts& facts) {
  const std::string text = core::sentence("{}, {} steps, ", core::prediction_name(facts.prediction), facts.train_steps);
  const FlowShift& shift = facts.flow_shift;
  if (path_of(facts.prediction) != Path::flow) {
    const std::string betas =
        facts.beta_curve == BetaCurve::cosine
            ? "by a cosine"
            : core::sentence("{} to {}", core::number_text(facts.beta_start), core::number_text(facts.beta_end));
    return core::sentence("{}betas {}{}, {}", text, betas, facts.zero_snr ? ", zero terminal SNR" : "",
                          core::spacing_name(facts.spacing));
  }
  if (!shift.dynamic) return core::sentence("{}shift {}", text, core::number_text(shift.shift));
  return core::sentence("{}shift e^{} at {} tokens to e^{} at {}", text, core::number_text(shift.base_shift),
                        shift.base_tokens, core::number_text(shift.max_shift), shift.max_tokens);
}

std::string tokenizers_text(const Model& model) {
  std::vector<std::string> texts;
  for (const auto& [name, facts] : model.tokenizers) {
    texts.push_back(core::sentence("{}: {}, {} tokens", name, core::tokenizer_kind_name(facts.kind), facts.length));
  }
  return core::joined(texts);
}

std::string conditioning_text(const Conditioning& facts) {
  if (facts.zero_empty_negative) return "an empty negative prompt is zeros";
  std::vector<std::string> axes;
  for (const int axis : facts.rope_axes) axes.push_back(std::to_string(axis));
  return axes.empty() ? "none" : core::sentence("rope axes {}", core::joined(axes));
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

std::vector<std::string> row_of(const io::Drift& drift) {
  std::vector<std::string> row = {drift.picture, core::size_text(drift.size), core::sentence("{:.2f}", drift.psnr)};
  for (const double shift : drift.shift) row.push_back(core::sentence("{:+.2f}", shift));
  row.push_back(core::sentence("{:.2f}", 100 * drift.clipped));
  return row;
}

/// The mean of all: of the PSNRs, not of what they are made from.
io::Drift mean_of(const std::vector<io::Drift>& drifts) {
  io::Drift mean{"mean", drifts.front().size, 0, {}, 0};
  const auto count = static_cast<double>(drifts.size());
  for (const io::Drift& drift : drifts) {
    mean.psnr += drift.psnr / count;
    for (std::size_t c = 0; c < 3; ++c) mean.shift[c] += drift.shift[c] / count;
    mean.clipped += drift.clipped / count;
  }
  return mean;
}

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// The words with commas between them, broken into lines.
std::vector<std::string> wrapped(const std::vector<std::string>& words) {
  constexpr std::size_t longest_line = 80;  // characters
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i] + (i + 1 < words.size() ? "," : "");
    if (lines.empty() || characters_of(lines.back()) + 1 + characters_of(word) > longest_line) {
      lines.push_back(word);
    } else {
      lines.back() += " " + word;
    }
  }
  return lines;
}

void add_taught(const Taught& taught, Rows& rows) {
  rows.push_back({"taught", taught.subjects});
  for (const std::string& line : wrapped(taught.words)) {
    const bool is_first = rows.back().front() == "taught";
    rows.push_back({is_first ? "words" : "", line});
  }
}

}  // namespace

Rows model_rows(const Model& model) {
  std::uint64_t bytes = 0;
  for (const auto& [name, facts] : model.files) bytes += facts.size;
  const Space& space = model.space;
  const Defaults& defaults = model.defaults;
  Rows rows = {
      {"model", model.name},
      {"folder", model.folder.string()},
      {"family", model.family},
      {"space",
       core::sentence("{}: {} channels, 1/{}, scale {}, shift {}, lineage {}", space.id, space.channels,
                      space.downscale, core::number_text(space.scale), core::number_text(space.shift), space.lineage)},
      {"defaults", core::sentence("{}x{}, {}, {}, guidance {}", defaults.width, defaults.height,
                                  core::count_text(static_cast<std::uint64_t>(defaults.steps), "step"),
                                  defaults.sampler, core::number_text(defaults.guidance))},
      {"sampling", sampling_text(model.sampling)},
      {"tokenizers", tokenizers_text(model)},
      {"conditioning", conditioning_text(model.conditioning)},
      {"files", core::sentence("{}, {}", model.files.size(), core::bytes_text(bytes))},
      {"licence", model.licence},
      {"origin", model.origin},
  };
  if (model.taught) add_taught(*model.taught, rows);
  return rows;
}

std::vector<std::string> part_lines(const Model& model) {
  std::vector<std::string> lines;
  for (const auto& [name, part] : model.parts) {
    lines.push_back(core::sentence("{}  {}", name, part.graph.lexically_relative(model.folder).string()));
    lines.push_back(core::sentence("  in   {}", core::ports_text(part.inputs)));
    lines.push_back(core::sentence("  out  {}", core::ports_text(part.outputs)));
  }
  return lines;
}

std::string chunk_text(const TokenChunk& chunk) {
  std::string text;
  for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
    text += (i ? " " : "") + std::to_string(chunk.ids[i]);
    if (chunk.weights[i] != 1) text += ":" + core::number_text(std::round(chunk.weights[i] * 1e4) / 1e4);
  }
  return text;
}

Rows latent_rows(const io::LatentInspection& latent) {
  const Passport& passport = latent.passport;
  Rows rows = {{"latent", latent.name},
               {"format", latent.format},
               {"space", space_text(latent)},
               {"numbers", numbers_text(latent)}};
  if (latent.has_space && latent.has_size)
    rows.push_back({"picture", core::sentence("{} pixels", core::size_text(core::picture_size(passport)))});
  rows.push_back({"state", state_text(passport)});
  rows.push_back({"vae", passport.vae_sha256.empty() ? "no digest" : core::sentence("sha256 {}", passport.vae_sha256)});
  for (const Transcode& entry : passport.history) rows.push_back({"history", announcement(latent.name, entry)});
  return rows;
}

Rows channel_rows(const io::LatentInspection& latent) {
  Rows rows = {{"channel", "mean", "deviation", "min", "max", "NaN or Inf"}};
  const std::vector<core::ChannelStatistics>& channels = latent.statistics.channels;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const core::ChannelStatistics& channel = channels[c];
    rows.push_back({std::to_string(c), core::sentence("{:.4f}", channel.mean),
                    core::sentence("{:.4f}", channel.deviation),
                    core::sentence("{:.4f}", static_cast<double>(channel.min)),
                    core::sentence("{:.4f}", static_cast<double>(channel.max)), std::to_string(channel.not_finite)});
  }
  return rows;
}

Rows drift_rows(const std::vector<io::Drift>& drifts) {
  Rows rows = {{"picture", "size", "PSNR, dB", "red", "green", "blue", "clipped, %"}};
  for (const io::Drift& drift : drifts) rows.push_back(row_of(drift));
  if (drifts.size() < 2) return rows;
  rows.push_back(row_of(mean_of(drifts)));
  rows.back()[1] = "";
  return rows;
}

}  // namespace lapis::pipeline
