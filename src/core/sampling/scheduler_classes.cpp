#include "core/sampling/scheduler_classes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace lapis::core {
namespace {

constexpr Path ve = Path::variance_exploding;
constexpr Path flow_path = Path::flow;
constexpr BetaCurve linear = BetaCurve::linear;
constexpr BetaCurve scaled = BetaCurve::scaled_linear;
constexpr Spacing leading = Spacing::leading;

constexpr const char* edm =
    "scales its network's inputs and outputs by sigma_data and samples from sigma_max to sigma_min (EDM), which lapis "
    "does not do";
constexpr const char* own_betas = "has betas of its own, a sine's, with which no latent model was trained";
constexpr const char* other_models = "is for models of other kinds than lapis draws with";
constexpr const char* backwards = "goes from a picture to its noise, and draws nothing";

constexpr const char* betas = "num_train_timesteps beta_start beta_end beta_schedule trained_betas prediction_type";
constexpr const char* times = "timestep_spacing steps_offset";
constexpr const char* shapes = "use_karras_sigmas use_exponential_sigmas use_beta_sigmas";
constexpr const char* thresholds = "thresholding dynamic_thresholding_ratio sample_max_value";
constexpr const char* chain = "clip_sample clip_sample_range rescale_betas_zero_snr";
constexpr const char* solver = "solver_order solver_type algorithm_type lower_order_final";
constexpr const char* flow_sigma_keys = "use_flow_sigmas flow_shift";
constexpr const char* dynamic = "use_dynamic_shifting time_shift_type";
constexpr const char* flow_keys =
    "num_train_timesteps shift use_dynamic_shifting base_shift max_shift base_image_seq_len max_image_seq_len "
    "invert_sigmas shift_terminal time_shift_type";
constexpr const char* distilled = "set_alpha_to_one original_inference_steps timestep_scaling";

// clang-format off
constexpr std::array classes = {
    // name, path, sampler, schedule, keys, betas and spacing
    SchedulerClass{"EulerDiscreteScheduler", ve, "euler", "own",
                   {betas, times, shapes, "interpolation_type sigma_min sigma_max timestep_type rescale_betas_zero_snr final_sigmas_type"}},
    SchedulerClass{"EulerAncestralDiscreteScheduler", ve, "euler_a", "own",
                   {betas, times, "rescale_betas_zero_snr"}},
    SchedulerClass{"HeunDiscreteScheduler", ve, "heun", "own",
                   {betas, times, shapes, "clip_sample clip_sample_range"}, linear, 0.00085, 0.012},
    SchedulerClass{"KDPM2DiscreteScheduler", ve, "dpm2", "own",
                   {betas, times, shapes}, linear, 0.00085, 0.012},
    SchedulerClass{"KDPM2AncestralDiscreteScheduler", ve, "dpm2_a", "own",
                   {betas, times, shapes}, linear, 0.00085, 0.012},
    SchedulerClass{"LMSDiscreteScheduler", ve, "lms", "own", {betas, times, shapes}},
    SchedulerClass{"DDIMScheduler", ve, "ddim", "own", {betas, times, thresholds, chain, "set_alpha_to_one"}, linear, 0.0001, 0.02, leading},
    SchedulerClass{"DDIMParallelScheduler", ve, "ddim", "own", {betas, times, thresholds, chain, "set_alpha_to_one"}, linear, 0.0001, 0.02, leading},
    SchedulerClass{"DDPMScheduler", ve, "ddpm", "own", {betas, times, thresholds, chain, "variance_type"}, linear, 0.0001, 0.02, leading},
    SchedulerClass{"DDPMParallelScheduler", ve, "ddpm", "own", {betas, times, thresholds, chain, "variance_type"}, linear, 0.0001, 0.02, leading},
    SchedulerClass{"PNDMScheduler", ve, "pndm", "own",
                   {betas, times, "skip_prk_steps set_alpha_to_one"}, linear, 0.0001, 0.02, leading},
    SchedulerClass{"DPMSolverMultistepScheduler", ve, "dpmpp_2m", "own",
                   {betas, times, shapes, solver, thresholds, flow_sigma_keys, dynamic, "euler_at_final use_lu_lambdas final_sigmas_type lambda_min_clipped variance_type "
                   "rescale_betas_zero_snr"}},
    SchedulerClass{"DPMSolverSinglestepScheduler", ve, "", "own",
                   {betas, shapes, solver, thresholds, flow_sigma_keys, dynamic, "final_sigmas_type lambda_min_clipped variance_type"}},
    SchedulerClass{"DPMSolverSDEScheduler", ve, "dpmpp_sde", "own",
                   {betas, times, shapes, "noise_sampler_seed"}, linear, 0.00085, 0.012},
    SchedulerClass{"UniPCMultistepScheduler", ve, "unipc", "own",
                   {betas, times, shapes, thresholds, flow_sigma_keys, dynamic, "solver_order solver_type lower_order_final predict_x0 disable_corrector solver_p final_sigmas_type "
                   "rescale_betas_zero_snr sigma_min sigma_max shift_terminal"}},
    SchedulerClass{"DEISMultistepScheduler", ve, "deis", "own",
                   {betas, times, shapes, solver, thresholds, flow_sigma_keys, dynamic}},
    SchedulerClass{"SASolverScheduler", ve, "", "own",
                   {betas, times, shapes, thresholds, flow_sigma_keys, "predictor_order corrector_order tau_func algorithm_type lower_order_final lambda_min_clipped "
                   "variance_type"}},
    SchedulerClass{"LCMScheduler", ve, "lcm", "lcm", {betas, times, thresholds, chain, distilled}, scaled, 0.00085, 0.012, leading},
    SchedulerClass{"TCDScheduler", ve, "tcd", "lcm", {betas, times, thresholds, chain, distilled}, scaled, 0.00085, 0.012, leading},
    SchedulerClass{"FlowMatchEulerDiscreteScheduler", flow_path, "euler", "own", {flow_keys, shapes, "stochastic_sampling"}},
    SchedulerClass{"FlowMatchHeunDiscreteScheduler", flow_path, "heun", "own", {"num_train_timesteps shift"}},
    SchedulerClass{"FlowMatchLCMScheduler", flow_path, "lcm", "own", {flow_keys, shapes, "scale_factors upscale_mode"}},
    SchedulerClass{"LTXEulerAncestralRFScheduler", flow_path, "euler_a", "own", {"num_train_timesteps eta s_noise"}},
};

constexpr std::array scheduler_key_rows = {
    // name, use, accepted, why, of one class
    SchedulerKey{"num_train_timesteps", KeyUse::training},
    SchedulerKey{"beta_start", KeyUse::training},
    SchedulerKey{"beta_end", KeyUse::training},
    SchedulerKey{"beta_schedule", KeyUse::training},
    SchedulerKey{"prediction_type", KeyUse::training},
    SchedulerKey{"timestep_spacing", KeyUse::training},
    SchedulerKey{"steps_offset", KeyUse::training},
    SchedulerKey{"rescale_betas_zero_snr", KeyUse::training},
    SchedulerKey{"shift", KeyUse::flow},
    SchedulerKey{"base_shift", KeyUse::flow},
    SchedulerKey{"max_shift", KeyUse::flow},
    SchedulerKey{"base_image_seq_len", KeyUse::flow},
    SchedulerKey{"max_image_seq_len", KeyUse::flow},
    SchedulerKey{"use_dynamic_shifting", KeyUse::flow},
    SchedulerKey{"time_shift_type", KeyUse::flow},
    SchedulerKey{"trained_betas", KeyUse::only, "null", "lapis has no betas by hand"},
    SchedulerKey{"use_karras_sigmas", KeyUse::sampling},
    SchedulerKey{"use_exponential_sigmas", KeyUse::sampling},
    SchedulerKey{"use_beta_sigmas", KeyUse::sampling},
    SchedulerKey{"stochastic_sampling", KeyUse::sampling},
    SchedulerKey{"algorithm_type", KeyUse::sampling, {}, {}, "DPMSolverMultistepScheduler"},
    SchedulerKey{"algorithm_type", KeyUse::unused},
    SchedulerKey{"use_lu_lambdas", KeyUse::only, "false", "lapis has no such schedule"},
    SchedulerKey{"use_flow_sigmas", KeyUse::only, "false", "lapis takes a flow from FlowMatchEulerDiscreteScheduler"},
    SchedulerKey{"flow_shift", KeyUse::unused},
    SchedulerKey{"interpolation_type", KeyUse::only, R"("linear")", "lapis reads sigmas off straight lines"},
    SchedulerKey{"sigma_min", KeyUse::only, "null", "lapis samples the whole range of the training"},
    SchedulerKey{"sigma_max", KeyUse::only, "null", "lapis samples the whole range of the training"},
    SchedulerKey{"timestep_type", KeyUse::only, R"("discrete")", "lapis tells a network steps of its training"},
    SchedulerKey{"final_sigmas_type", KeyUse::only, R"("zero")", "lapis samples to the end of all noise"},
    SchedulerKey{"invert_sigmas", KeyUse::only, "false", "lapis samples from noise to picture"},
    SchedulerKey{"shift_terminal", KeyUse::only, "null", "lapis does not stretch a flow's last step"},
    SchedulerKey{"thresholding", KeyUse::only, "false", "lapis clips no pictures on their way"},
    SchedulerKey{"dynamic_thresholding_ratio", KeyUse::unused},
    SchedulerKey{"sample_max_value", KeyUse::unused},
    SchedulerKey{"clip_sample", KeyUse::only, "false", "lapis clips no pictures on their way, and latents have no bounds"},
    SchedulerKey{"clip_sample_range", KeyUse::unused},
    SchedulerKey{"set_alpha_to_one", KeyUse::noted, "true", "lapis samples to the end of all noise, as with true"},
    SchedulerKey{"skip_prk_steps", KeyUse::noted, "true", "lapis begins without Runge-Kutta steps, as with true"},
    SchedulerKey{"variance_type", KeyUse::only, R"("fixed_small"|"fixed_small_log")", "lapis has no other variance"},
    SchedulerKey{"solver_order", KeyUse::unused, {}, {}, "DPMSolverSinglestepScheduler"},
    SchedulerKey{"solver_order", KeyUse::only, "2", "lapis has this solver with order 2"},
    SchedulerKey{"solver_type", KeyUse::only, R"("midpoint"|"logrho"|"bh1"|"bh2")", "lapis has the midpoint kind",
                 "DPMSolverMultistepScheduler"},
    SchedulerKey{"solver_type", KeyUse::only, R"("bh2"|"midpoint"|"heun"|"logrho")", "lapis has bh2",
                 "UniPCMultistepScheduler"},
    SchedulerKey{"solver_type", KeyUse::unused},
    SchedulerKey{"lower_order_final", KeyUse::only, "true", "lapis ends with a step of the first order",
                 "UniPCMultistepScheduler"},
    SchedulerKey{"lower_order_final", KeyUse::unused},
    SchedulerKey{"euler_at_final", KeyUse::unused},
    SchedulerKey{"lambda_min_clipped", KeyUse::only, R"("-Infinity")", "lapis leaves out no step at the noisy end"},
    SchedulerKey{"predict_x0", KeyUse::only, "true", "lapis has this solver on clean pictures"},
    SchedulerKey{"disable_corrector", KeyUse::only, "[]", "lapis corrects every step"},
    SchedulerKey{"solver_p", KeyUse::only, "null", "lapis has no predictor by hand"},
    SchedulerKey{"predictor_order", KeyUse::unused},
    SchedulerKey{"corrector_order", KeyUse::unused},
    SchedulerKey{"tau_func", KeyUse::unused},
    SchedulerKey{"noise_sampler_seed", KeyUse::unused},
    SchedulerKey{"original_inference_steps", KeyUse::only, "50", "lapis takes its steps from 50"},
    SchedulerKey{"timestep_scaling", KeyUse::only, "10", "lapis has the consistency function of 10"},
    SchedulerKey{"eta", KeyUse::only, "1", "lapis begins with 1; a job says another by {eta}"},
    SchedulerKey{"s_noise", KeyUse::only, "1", "lapis draws noise of spread 1"},
    SchedulerKey{"scale_factors", KeyUse::only, "null", "lapis draws at one size"},
    SchedulerKey{"upscale_mode", KeyUse::unused},
};

constexpr SchedulerClass no(std::string_view name, std::string_view why) { return {.name = name, .refused = why}; }

constexpr std::array refused_classes = {
    no("EDMEulerScheduler", edm),
    no("EDMDPMSolverMultistepScheduler", edm),
    no("CosineDPMSolverMultistepScheduler", edm),
    no("KarrasVeScheduler", edm),
    no("CMStochasticIterativeScheduler", edm),
    no("IPNDMScheduler", own_betas),
    no("DDIMInverseScheduler", backwards),
    no("DPMSolverMultistepInverseScheduler", backwards),
    no("AmusedScheduler", other_models),
    no("BlockRefinementScheduler", other_models),
    no("CogVideoXDDIMScheduler", other_models),
    no("CogVideoXDPMScheduler", other_models),
    no("ConsistencyDecoderScheduler", other_models),
    no("DDPMWuerstchenScheduler", other_models),
    no("DiscreteDDIMScheduler", other_models),
    no("EntropyBoundScheduler", other_models),
    no("FlowMapEulerDiscreteScheduler", other_models),
    no("HeliosDMDScheduler", other_models),
    no("HeliosScheduler", other_models),
    no("MiniMaxH3Scheduler", other_models),
    no("PiflowScheduler", other_models),
    no("RFD4ProteinaScheduler", other_models),
    no("RePaintScheduler", other_models),
    no("SCMScheduler", other_models),
    no("ScoreSdeVeScheduler", other_models),
    no("ScoreSdeVpScheduler", other_models),
    no("UnCLIPScheduler", other_models),
    no("VQDiffusionScheduler", other_models),
};
// clang-format on

std::optional<double> parsed_number(std::string_view text) {
  double number = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Whether `word` stands in `text` between two of `separator` or its ends.
bool lists(std::string_view text, char separator, std::string_view word) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (text.substr(0, end) == word) return true;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

}  // namespace

std::span<const SchedulerClass> scheduler_classes() { return classes; }

const SchedulerClass* find_scheduler_class(std::string_view name) {
  for (const std::span<const SchedulerClass> rows : {std::span<const SchedulerClass>(classes), {refused_classes}}) {
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&](const SchedulerClass& row) { return row.name == name; });
    if (found != rows.end()) return &*found;
  }
  return nullptr;
}

bool reads(const SchedulerClass& row, std::string_view key) {
  return std::any_of(row.keys.begin(), row.keys.end(), [&](std::string_view group) { return lists(group, ' ', key); });
}

std::span<const SchedulerKey> scheduler_keys() { return scheduler_key_rows; }

const SchedulerKey* find_scheduler_key(const SchedulerClass& row, std::string_view key) {
  const auto found = std::find_if(scheduler_key_rows.begin(), scheduler_key_rows.end(), [&](const SchedulerKey& each) {
    return each.name == key && (each.of.empty() || each.of == row.name);
  });
  return found == scheduler_key_rows.end() ? nullptr : &*found;
}

bool accepts(const SchedulerKey& key, std::string_view value) {
  if (value == "null") return true;
  const std::optional<double> number = parsed_number(value);
  return lists(key.accepted, '|', value) || (number && parsed_number(key.accepted) == number);
}

}  // namespace lapis::core
