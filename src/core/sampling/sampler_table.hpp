// The samplers: a row each, with the function that runs it.
#pragma once

#include <optional>
#include <utility>

#include "core/sampling/samplers.hpp"
#include "core/sampling/samplers/ancestral.hpp"
#include "core/sampling/samplers/multistep.hpp"
#include "core/sampling/samplers/one_step.hpp"
#include "core/sampling/samplers/sampler_context.hpp"
#include "core/sampling/samplers/unipc.hpp"

namespace lapis::core {

/// One run of a sampler: what its function works with.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
struct Sampling {
  D& denoise;
  T x;  ///< noisy at the sigma of the context's first step
  SamplerContext context;
  Memory<T>& memory;  ///< of the steps before, and then of those that were done
  N& noise;
  F& on_step;
};

/// Columns of the rows: a sampler without a share of fresh noise, and why one cannot sample a flow.
// clang-format off
inline constexpr std::optional<double> no_eta = std::nullopt;
inline constexpr auto on_both = "";
inline constexpr auto betas_alone = "it is the chain of a training with betas, which a flow has none of";
inline constexpr auto equal_times = "its weights are made for equal steps of a training with betas, which a flow has none of";
inline constexpr auto distilled = "it leaps to times of the training it was distilled from, which has betas; a flow has none";
// clang-format on

/// Calls `visit(row, function)` for each sampler, in the order in which they are listed; `function(sampling)` gives x
/// at the sigma of the context's last step.
template <typename Visit>
void each_sampler(Visit&& visit) {
  using enum Start;
  using enum Terminal;
  using enum Remembered;
  // clang-format off
  // name, label, order, calls, memory, noise, eta, start, why not on a flow, terminal, oracle, {aliases}, function
  visit(SamplerRow{"euler", "Euler", 1, 1, 0, answers, false, no_eta, schedule, on_both, nearly, "diffusers",
    {"k_euler", "sample_euler", "EulerDiscreteScheduler", "FlowMatchEulerDiscreteScheduler"}},
        [](auto& s) { return euler(s.denoise, std::move(s.x), s.context, s.on_step); });
  visit(SamplerRow{"euler_a", "Euler a", 1, 1, 0, answers, true, 1, schedule, on_both, nearly, "k-diffusion, diffusers (LTX) on flow",
    {"k_euler_a", "euler_ancestral", "sample_euler_ancestral", "EulerAncestralDiscreteScheduler",
     "LTXEulerAncestralRFScheduler"}}, [](auto& s) { return euler_a(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"heun", "Heun", 2, 2, 0, answers, false, no_eta, schedule, on_both, none, "k-diffusion",
    {"k_heun", "sample_heun", "HeunDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"}},
        [](auto& s) { return heun(s.denoise, std::move(s.x), s.context, s.on_step); });
  visit(SamplerRow{"dpm2", "DPM2", 2, 2, 0, answers, false, no_eta, schedule, on_both, none, "k-diffusion",
    {"k_dpm_2", "dpm_2", "sample_dpm_2", "KDPM2DiscreteScheduler"}},
        [](auto& s) { return dpm2(s.denoise, std::move(s.x), s.context, s.on_step); });
  visit(SamplerRow{"dpm2_a", "DPM2 a", 2, 2, 0, answers, true, 1, schedule, on_both, none, "k-diffusion, ComfyUI's formula on flow",
    {"k_dpm_2_a", "dpm_2_ancestral", "sample_dpm_2_ancestral", "KDPM2AncestralDiscreteScheduler"}},
        [](auto& s) { return dpm2_a(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"lms", "LMS", 2, 1, 3, answers, false, no_eta, schedule, on_both, nearly, "k-diffusion",
    {"k_lms", "sample_lms", "LMSDiscreteScheduler"}},
        [](auto& s) { return lms(s.denoise, std::move(s.x), s.context, s.memory, s.on_step); });
  visit(SamplerRow{"ddim", "DDIM", 1, 1, 0, answers, true, 0, unit, on_both, wholly, "diffusers",
    {"DDIMScheduler"}}, [](auto& s) { return ddim(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"ddpm", "DDPM", 1, 1, 0, answers, true, no_eta, unit, betas_alone, wholly, "diffusers",
    {"DDPMScheduler", "sample_ddpm"}},
        [](auto& s) { s.context.eta = 1; return ddim(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"pndm", "PLMS", 2, 1, 3, answers, false, no_eta, unit, equal_times, none, "diffusers",
    {"k_plms", "PNDMScheduler"}}, [](auto& s) { return pndm(s.denoise, std::move(s.x), s.context, s.memory, s.on_step); });
  visit(SamplerRow{"dpmpp_2m", "DPM++ 2M", 2, 1, 1, answers, false, no_eta, unit, on_both, nearly, "k-diffusion, diffusers",
    {"k_dpmpp_2m", "dpm++2m", "sample_dpmpp_2m", "DPMSolverMultistepScheduler"}},
        [](auto& s) { return dpmpp_2m(s.denoise, std::move(s.x), s.context, s.memory, s.on_step); });
  visit(SamplerRow{"dpmpp_2m_sde", "DPM++ 2M SDE", 2, 1, 1, answers, true, 1, unit, on_both, nearly, "k-diffusion, diffusers",
    {"k_dpmpp_2m_sde", "dpm++2m_sde", "dpmpp_2m_sde_gpu", "sample_dpmpp_2m_sde", "sde-dpmsolver++"}},
        [](auto& s) { return dpmpp_2m_sde(s.denoise, std::move(s.x), s.context, s.memory, s.noise, s.on_step); });
  visit(SamplerRow{"dpmpp_2s_a", "DPM++ 2S a", 2, 2, 0, answers, true, 1, schedule, on_both, nearly, "k-diffusion, ComfyUI's formula on flow",
    {"k_dpmpp_2s_a", "dpm++2s_a", "dpmpp_2s_ancestral", "sample_dpmpp_2s_ancestral"}},
        [](auto& s) { return dpmpp_2s_a(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"dpmpp_sde", "DPM++ SDE", 2, 2, 0, answers, true, 1, schedule, on_both, nearly, "k-diffusion",
    {"k_dpmpp_sde", "dpmpp_sde_gpu", "sample_dpmpp_sde", "DPMSolverSDEScheduler"}},
        [](auto& s) { return dpmpp_sde(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"dpmpp_3m_sde", "DPM++ 3M SDE", 2, 1, 2, answers, true, 1, schedule, on_both, nearly, "k-diffusion",
    {"k_dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "sample_dpmpp_3m_sde"}},
        [](auto& s) { return dpmpp_3m_sde(s.denoise, std::move(s.x), s.context, s.memory, s.noise, s.on_step); });
  visit(SamplerRow{"unipc", "UniPC", 2, 1, 3, x_and_answers, false, no_eta, unit, on_both, nearly, "diffusers",
    {"uni_pc", "uni_pc_bh2", "UniPCMultistepScheduler"}},
        [](auto& s) { return unipc(s.denoise, std::move(s.x), s.context, s.memory, s.on_step); });
  visit(SamplerRow{"deis", "DEIS", 2, 1, 1, answers, false, no_eta, unit, on_both, nearly, "diffusers",
    {"DEISMultistepScheduler", "sample_deis"}}, [](auto& s) { return deis(s.denoise, std::move(s.x), s.context, s.memory, s.on_step); });
  visit(SamplerRow{"ipndm", "iPNDM", 2, 1, 3, answers, false, no_eta, schedule, on_both, nearly, "diffusers",
    {"IPNDMScheduler", "sample_ipndm"}}, [](auto& s) { return ipndm(s.denoise, std::move(s.x), s.context, s.memory, s.on_step); });
  visit(SamplerRow{"lcm", "LCM", 1, 1, 0, answers, true, no_eta, unit, on_both, wholly, "diffusers",
    {"sample_lcm", "LCMScheduler", "FlowMatchLCMScheduler"}},
        [](auto& s) { return lcm(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  visit(SamplerRow{"tcd", "TCD", 1, 1, 0, answers, true, 0.3, unit, distilled, wholly, "diffusers",
    {"TCDScheduler"}}, [](auto& s) { return tcd(s.denoise, std::move(s.x), s.context, s.noise, s.on_step); });
  // clang-format on
}

}  // namespace lapis::core
