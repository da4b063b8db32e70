#include "core/sampling/samplers.hpp"

#include <algorithm>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::optional<double> no_eta = std::nullopt;

// clang-format off
constexpr const char* on_both = "";
constexpr const char* betas_alone = "it is the chain of a training with betas, which a flow has none of";
constexpr const char* equal_times = "its weights are made for equal steps of a training with betas, which a flow has none of";
constexpr const char* distilled   = "it leaps to times of the training it was distilled from, which has betas; a flow has none";
// clang-format on

}  // namespace

std::span<const SamplerRow> samplers() {
  using S = Sampler;
  using enum Start;
  using enum Terminal;
  // clang-format off
  static const std::vector<SamplerRow> rows = {
      // sampler          name            label          order, calls, memory, noise, eta, start, not on a flow, terminal, oracle
      //   aliases
      {S::euler,          "euler",        "Euler",       1, 1, 0, false, no_eta, schedule, on_both,     nearly, "diffusers",
       {"k_euler", "sample_euler", "EulerDiscreteScheduler", "FlowMatchEulerDiscreteScheduler"}},
      {S::euler_a,        "euler_a",      "Euler a",     1, 1, 0, true,  1,      schedule, on_both,     nearly, "k-diffusion, diffusers (LTX) on flow",
       {"k_euler_a", "euler_ancestral", "sample_euler_ancestral", "EulerAncestralDiscreteScheduler",
        "LTXEulerAncestralRFScheduler"}},
      {S::heun,           "heun",         "Heun",        2, 2, 0, false, no_eta, schedule, on_both,     none, "k-diffusion",
       {"k_heun", "sample_heun", "HeunDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"}},
      {S::dpm2,           "dpm2",         "DPM2",        2, 2, 0, false, no_eta, schedule, on_both,     none, "k-diffusion",
       {"k_dpm_2", "dpm_2", "sample_dpm_2", "KDPM2DiscreteScheduler"}},
      {S::dpm2_a,         "dpm2_a",       "DPM2 a",      2, 2, 0, true,  1,      schedule, on_both,     none, "k-diffusion, ComfyUI's formula on flow",
       {"k_dpm_2_a", "dpm_2_ancestral", "sample_dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler"}},
      {S::lms,            "lms",          "LMS",         2, 1, 3, false, no_eta, schedule, on_both,     nearly, "k-diffusion",
       {"k_lms", "sample_lms", "LMSDiscreteScheduler"}},
      {S::ddim,           "ddim",         "DDIM",        1, 1, 0, true,  0,      unit,     on_both,     wholly, "diffusers",
       {"DDIMScheduler"}},
      {S::ddpm,           "ddpm",         "DDPM",        1, 1, 0, true,  no_eta, unit,     betas_alone, wholly, "diffusers",
       {"DDPMScheduler", "sample_ddpm"}},
      {S::pndm,           "pndm",         "PLMS",        2, 1, 3, false, no_eta, unit,     equal_times, none, "diffusers",
       {"k_plms", "PNDMScheduler"}},
      {S::dpmpp_2m,       "dpmpp_2m",     "DPM++ 2M",    2, 1, 1, false, no_eta, unit,     on_both,     nearly, "k-diffusion, diffusers",
       {"k_dpmpp_2m", "dpm++2m", "sample_dpmpp_2m", "DPMSolverMultistepScheduler"}},
      {S::dpmpp_2m_sde,   "dpmpp_2m_sde", "DPM++ 2M SDE", 2, 1, 1, true,  1,      unit,     on_both,     nearly, "k-diffusion, diffusers",
       {"k_dpmpp_2m_sde", "dpm++2m_sde", "dpmpp_2m_sde_gpu", "sample_dpmpp_2m_sde", "sde-dpmsolver++"}},
      {S::dpmpp_2s_a,     "dpmpp_2s_a",   "DPM++ 2S a",  2, 2, 0, true,  1,      schedule, on_both,     nearly, "k-diffusion, ComfyUI's formula on flow",
       {"k_dpmpp_2s_a", "dpm++2s_a", "dpmpp_2s_ancestral", "sample_dpmpp_2s_ancestral"}},
      {S::dpmpp_sde,      "dpmpp_sde",    "DPM++ SDE",   2, 2, 0, true,  1,      schedule, on_both,     nearly, "k-diffusion",
       {"k_dpmpp_sde", "dpmpp_sde_gpu", "sample_dpmpp_sde", "DPMSolverSDEScheduler"}},
      {S::dpmpp_3m_sde,   "dpmpp_3m_sde", "DPM++ 3M SDE", 2, 1, 2, true,  1,      schedule, on_both,     nearly, "k-diffusion",
       {"k_dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "sample_dpmpp_3m_sde"}},
      {S::unipc,          "unipc",        "UniPC",       2, 1, 3, false, no_eta, unit,     on_both,     nearly, "diffusers",
       {"uni_pc", "uni_pc_bh2", "UniPCMultistepScheduler"}},
      {S::deis,           "deis",         "DEIS",        2, 1, 1, false, no_eta, unit,     on_both,     nearly, "diffusers",
       {"DEISMultistepScheduler", "sample_deis"}},
      {S::ipndm,          "ipndm",        "iPNDM",       2, 1, 3, false, no_eta, schedule, on_both,     nearly, "diffusers",
       {"IPNDMScheduler", "sample_ipndm"}},
      {S::lcm,            "lcm",          "LCM",         1, 1, 0, true,  no_eta, unit,     on_both,     wholly, "diffusers",
       {"sample_lcm", "LCMScheduler", "FlowMatchLCMScheduler"}},
      {S::tcd,            "tcd",          "TCD",         1, 1, 0, true,  0.3,    unit,     distilled,   wholly, "diffusers",
       {"TCDScheduler"}},
  };
  // clang-format on
  return rows;
}

std::vector<std::string> names_of(const SamplerRow& row) {
  std::vector<std::string> names = {row.name, row.label};
  names.insert(names.end(), row.aliases.begin(), row.aliases.end());
  return names;
}

const SamplerRow& find_sampler(std::string_view name) {
  std::vector<std::string> known;
  for (const SamplerRow& row : samplers()) {
    for (const std::string& other : names_of(row)) {
      if (loose_name(other) == loose_name(name)) return row;
      known.push_back(other);
    }
  }
  throw Error(ErrorKind::usage, sentence("unknown sampler \"{}\"; there are {}.{}", name, listed(row_names(samplers())),
                                         did_you_mean(name, known)));
}

const SamplerRow& sampler_row(Sampler sampler) {
  const std::span<const SamplerRow> rows = samplers();
  return *std::find_if(rows.begin(), rows.end(), [&](const SamplerRow& row) { return row.sampler == sampler; });
}

void check_memory(const SamplerRow& row, int steps, std::size_t count) {
  // What unipc remembers begins with x at the last step's beginning, which goes with an answer there.
  const bool pairs = row.sampler == Sampler::unipc;
  const int most = std::min(row.remembers, steps > 0 && pairs ? steps + 1 : steps);
  if (count <= static_cast<std::size_t>(most) && !(pairs && count == 1)) return;
  throw Error(ErrorKind::usage,
              sentence("the latent remembers {} of earlier steps, and {} {} after {}: another "
                       "sampler walked it. Name that one with {sampler}",
                       count_text(count, "array"), row.name, most == 0 ? "none" : "other ones", steps));
}

bool can_begin_at_noise_alone(const SamplerRow& row, Prediction prediction) {
  return row.terminal != Terminal::none && (row.terminal != Terminal::wholly || prediction != Prediction::epsilon);
}

std::vector<std::string> samplers_from_noise_alone(Prediction prediction) {
  std::vector<std::string> names;
  for (const SamplerRow& row : samplers()) {
    if (can_begin_at_noise_alone(row, prediction)) names.push_back(row.name);
  }
  return names;
}

bool supports(const SamplerRow& row, Path path) { return path != Path::flow || row.not_on_flow.empty(); }

std::vector<std::string> samplers_on(Path path) {
  std::vector<std::string> names;
  for (const SamplerRow& row : samplers()) {
    if (supports(row, path)) names.push_back(row.name);
  }
  return names;
}

}  // namespace lapis::core
