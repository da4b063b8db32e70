#include "core/samplers.hpp"

#include "core/suggest.hpp"
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
  // clang-format off
  static const std::vector<SamplerRow> rows = {
      // sampler         name            label
      //   aliases
      //   order, evaluations, noise, eta, start, why not on a flow, oracle
      {S::euler,        "euler",        "Euler",
       {"k_euler", "sample_euler", "EulerDiscreteScheduler", "FlowMatchEulerDiscreteScheduler"},
       1, 1, false, no_eta, schedule, on_both, "diffusers"},
      {S::euler_a,      "euler_a",      "Euler a",
       {"k_euler_a", "euler_ancestral", "sample_euler_ancestral", "EulerAncestralDiscreteScheduler",
        "LTXEulerAncestralRFScheduler"},
       1, 1, true, 1, schedule, on_both, "k-diffusion, diffusers (LTX) on flow"},
      {S::heun,         "heun",         "Heun",
       {"k_heun", "sample_heun", "HeunDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"},
       2, 2, false, no_eta, schedule, on_both, "k-diffusion"},
      {S::dpm2,         "dpm2",         "DPM2",
       {"k_dpm_2", "dpm_2", "sample_dpm_2", "KDPM2DiscreteScheduler"},
       2, 2, false, no_eta, schedule, on_both, "k-diffusion"},
      {S::dpm2_a,       "dpm2_a",       "DPM2 a",
       {"k_dpm_2_a", "dpm_2_ancestral", "sample_dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler"},
       2, 2, true, 1, schedule, on_both, "k-diffusion, ComfyUI's formula on flow"},
      {S::lms,          "lms",          "LMS",
       {"k_lms", "sample_lms", "LMSDiscreteScheduler"},
       2, 1, false, no_eta, schedule, on_both, "k-diffusion"},
      {S::ddim,         "ddim",         "DDIM",
       {"DDIMScheduler"},
       1, 1, true, 0, unit, on_both, "diffusers"},
      {S::ddpm,         "ddpm",         "DDPM",
       {"DDPMScheduler", "sample_ddpm"},
       1, 1, true, no_eta, unit, betas_alone, "diffusers"},
      {S::pndm,         "pndm",         "PLMS",
       {"k_plms", "PNDMScheduler"},
       2, 1, false, no_eta, unit, equal_times, "diffusers"},
      {S::dpmpp_2m,     "dpmpp_2m",     "DPM++ 2M",
       {"k_dpmpp_2m", "dpm++2m", "sample_dpmpp_2m", "DPMSolverMultistepScheduler"},
       2, 1, false, no_eta, unit, on_both, "k-diffusion, diffusers"},
      {S::dpmpp_2m_sde, "dpmpp_2m_sde", "DPM++ 2M SDE",
       {"k_dpmpp_2m_sde", "dpm++2m_sde", "dpmpp_2m_sde_gpu", "sample_dpmpp_2m_sde", "sde-dpmsolver++"},
       2, 1, true, 1, unit, on_both, "k-diffusion, diffusers"},
      {S::dpmpp_2s_a,   "dpmpp_2s_a",   "DPM++ 2S a",
       {"k_dpmpp_2s_a", "dpm++2s_a", "dpmpp_2s_ancestral", "sample_dpmpp_2s_ancestral"},
       2, 2, true, 1, schedule, on_both, "k-diffusion, ComfyUI's formula on flow"},
      {S::dpmpp_sde,    "dpmpp_sde",    "DPM++ SDE",
       {"k_dpmpp_sde", "dpmpp_sde_gpu", "sample_dpmpp_sde", "DPMSolverSDEScheduler"},
       2, 2, true, 1, schedule, on_both, "k-diffusion"},
      {S::dpmpp_3m_sde, "dpmpp_3m_sde", "DPM++ 3M SDE",
       {"k_dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "sample_dpmpp_3m_sde"},
       2, 1, true, 1, schedule, on_both, "k-diffusion"},
      {S::unipc,        "unipc",        "UniPC",
       {"uni_pc", "uni_pc_bh2", "UniPCMultistepScheduler"},
       2, 1, false, no_eta, unit, on_both, "diffusers"},
      {S::deis,         "deis",         "DEIS",
       {"DEISMultistepScheduler", "sample_deis"},
       2, 1, false, no_eta, unit, on_both, "diffusers"},
      {S::ipndm,        "ipndm",        "iPNDM",
       {"IPNDMScheduler", "sample_ipndm"},
       2, 1, false, no_eta, schedule, on_both, "diffusers"},
      {S::lcm,          "lcm",          "LCM",
       {"sample_lcm", "LCMScheduler", "FlowMatchLCMScheduler"},
       1, 1, true, no_eta, unit, on_both, "diffusers"},
      {S::tcd,          "tcd",          "TCD",
       {"TCDScheduler"},
       1, 1, true, 0.3, unit, distilled, "diffusers"},
  };
  // clang-format on
  return rows;
}

const SamplerRow& find_sampler(std::string_view name) {
  std::vector<std::string> names;
  std::vector<std::string> known;
  for (const SamplerRow& row : samplers()) {
    if (equal_ignoring_case(name, row.name) || equal_ignoring_case(name, row.label)) return row;
    for (const std::string& alias : row.aliases) {
      if (equal_ignoring_case(name, alias)) return row;
    }
    names.push_back(row.name);
    known.push_back(row.name);
    known.push_back(row.label);
    known.insert(known.end(), row.aliases.begin(), row.aliases.end());
  }
  throw Error(ErrorKind::usage, "unknown sampler \"" + std::string(name) + "\"; there is " + listed(names) + "." +
                                    did_you_mean(name, known));
}

bool walks(const SamplerRow& row, Path path) { return path != Path::flow || row.not_on_flow.empty(); }

std::vector<std::string> samplers_on(Path path) {
  std::vector<std::string> names;
  for (const SamplerRow& row : samplers()) {
    if (walks(row, path)) names.push_back(row.name);
  }
  return names;
}

}  // namespace lapis::core
