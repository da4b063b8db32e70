#include <catch2/catch.hpp>
#include <string>

#include "io/checkpoint/scheduler_config.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

SchedulerConfig read(const TemporaryFolder& folder, const std::string& document) {
  write_text(folder / "scheduler/scheduler_config.json", document);
  return *read_scheduler(folder.path());
}

std::string hints(const SchedulerConfig& config) {
  std::string text;
  for (const std::string& note : config.notes) text += note + "\n";
  return text;
}

std::string named(const std::string& name, const std::string& more) {
  return R"({"_class_name": ")" + name + R"(")" + (more.empty() ? "" : ", " + more) + "}";
}

/// What is wrong with a configuration; "" where nothing is.
std::string refusal(const TemporaryFolder& folder, const std::string& document) {
  try {
    (void)read(folder, document);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK_THAT(error.what(), Catch::Contains("scheduler/scheduler_config.json"));
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a scheduler's configuration tells the process, and what it leaves out is its class's own") {
  const TemporaryFolder folder;
  CHECK_FALSE(read_scheduler(folder.path()));
  CHECK(read(folder, named("PNDMScheduler", R"("beta_start": 0.00085, "beta_end": 0.012, "skip_prk_steps": true,
                       "beta_schedule": "scaled_linear", "steps_offset": 1, "trained_betas": null)"))
            .sampling == SamplingFacts{});
  const SamplingFacts facts = read(folder, R"({"prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2",
                                               "rescale_betas_zero_snr": true})")
                                  .sampling;
  CHECK(facts.prediction == Prediction::v);
  CHECK(facts.spacing == Spacing::linspace);
  CHECK(facts.beta_curve == BetaCurve::cosine);
  CHECK(facts.beta_end == 0.02);
  CHECK(facts.zero_snr);
  CHECK(read(folder, named("HeunDiscreteScheduler", "")).sampling.beta_end == 0.012);
  CHECK(read(folder, named("LCMScheduler", "")).sampling.beta_curve == BetaCurve::scaled_linear);
  const FlowShift dynamic =
      read(folder, named("FlowMatchEulerDiscreteScheduler", R"("use_dynamic_shifting": true)")).sampling.flow_shift;
  CHECK(dynamic.dynamic);
  CHECK(dynamic.max_shift == 1.15);
  CHECK(read(folder, named("FlowMatchHeunDiscreteScheduler", R"("shift": 3)")).sampling.flow_shift.shift == 3);
}

TEST_CASE("a class and its keys name the sampler and the schedule of jobs") {
  const TemporaryFolder folder;
  const auto sampling = [&](const std::string& name, const std::string& more) {
    const SchedulerConfig config = read(folder, named(name, more));
    return config.sampler + " " + config.schedule;
  };
  CHECK(sampling("EulerDiscreteScheduler", "") == "euler own");
  CHECK(sampling("EulerAncestralDiscreteScheduler", "") == "euler_a own");
  CHECK(sampling("DPMSolverMultistepScheduler", R"("use_karras_sigmas": true, "algorithm_type": "sde-dpmsolver++")") ==
        "dpmpp_2m_sde karras");
  CHECK(sampling("HeunDiscreteScheduler", R"("use_exponential_sigmas": true, "use_karras_sigmas": false)") ==
        "heun exponential");
  CHECK(sampling("UniPCMultistepScheduler", R"("use_beta_sigmas": true)") == "unipc beta");
  CHECK(sampling("LCMScheduler", "") == "lcm lcm");
  CHECK(sampling("FlowMatchEulerDiscreteScheduler", R"("stochastic_sampling": true)") == "lcm own");
  CHECK(sampling("FlowMatchHeunDiscreteScheduler", "") == "heun own");
  CHECK(sampling("DPMSolverSinglestepScheduler", R"("solver_order": 3)") == " own");
  // A key that the class does not read is none of its own.
  CHECK(sampling("DDIMScheduler", R"("use_karras_sigmas": true)") == "ddim own");
}

TEST_CASE("what diffusers itself writes is read, with its infinities") {
  const TemporaryFolder folder;
  const SchedulerConfig config =
      read(folder, named("DPMSolverMultistepScheduler", R"("lambda_min_clipped": -Infinity, "variance_type": null,
              "solver_order": 2, "solver_type": "midpoint", "euler_at_final": false, "thresholding": false)"));
  CHECK(config.sampler == "dpmpp_2m");
  CHECK(config.notes.empty());
  CHECK_THAT(refusal(folder, named("DPMSolverMultistepScheduler", R"("lambda_min_clipped": -5.1)")),
             Catch::Contains("lambda_min_clipped is -5.1"));
}

TEST_CASE("classes and values that lapis has not are refused by name") {
  const TemporaryFolder folder;
  for (const char* name : {"EDMEulerScheduler", "EDMDPMSolverMultistepScheduler", "CosineDPMSolverMultistepScheduler",
                           "IPNDMScheduler", "DDIMInverseScheduler", "UnCLIPScheduler", "EulerScheduler", ""}) {
    CHECK_THAT(refusal(folder, named(name, "")), Catch::Contains("\"" + std::string(name) + "\""));
  }
  const std::vector<std::pair<std::string, std::string>> values = {
      {"EulerDiscreteScheduler", R"("prediction_type": "sample")"},
      {"EulerDiscreteScheduler", R"("trained_betas": [0.1])"},
      {"EulerDiscreteScheduler", R"("beta_schedule": "sigmoid")"},
      {"EulerDiscreteScheduler", R"("timestep_type": "continuous")"},
      {"EulerDiscreteScheduler", R"("final_sigmas_type": "sigma_min")"},
      {"EulerDiscreteScheduler", R"("interpolation_type": "log_linear")"},
      {"EulerDiscreteScheduler", R"("sigma_max": 120.0)"},
      {"EulerDiscreteScheduler", R"("use_karras_sigmas": true, "use_beta_sigmas": true)"},
      {"EulerDiscreteScheduler", R"("use_karras_sigmas": "yes")"},
      {"EulerDiscreteScheduler", R"("timestep_spacing": "log")"},
      {"EulerDiscreteScheduler", R"("beta_end": 7)"},
      {"EulerDiscreteScheduler", R"("beta_start": 0.5)"},
      {"EulerDiscreteScheduler", R"("beta_start": NaN)"},
      {"EulerDiscreteScheduler", R"("num_train_timesteps": 0)"},
      {"EulerDiscreteScheduler", R"("steps_offset": 1000)"},
      {"DDIMScheduler", R"("clip_sample": true)"},
      {"DDIMScheduler", R"("thresholding": true)"},
      {"DDPMScheduler", R"("variance_type": "learned_range")"},
      {"DPMSolverMultistepScheduler", R"("algorithm_type": "dpmsolver")"},
      {"DPMSolverMultistepScheduler", R"("solver_order": 3)"},
      {"DPMSolverMultistepScheduler", R"("use_lu_lambdas": true)"},
      {"DPMSolverMultistepScheduler", R"("use_flow_sigmas": true)"},
      {"UniPCMultistepScheduler", R"("solver_type": "bh1")"},
      {"UniPCMultistepScheduler", R"("disable_corrector": [0])"},
      {"FlowMatchEulerDiscreteScheduler", R"("shift_terminal": 0.02)"},
      {"FlowMatchEulerDiscreteScheduler", R"("invert_sigmas": true)"},
      {"FlowMatchEulerDiscreteScheduler", R"("use_dynamic_shifting": true, "time_shift_type": "linear")"},
      {"FlowMatchEulerDiscreteScheduler", R"("shift": 0)"},
      {"FlowMatchEulerDiscreteScheduler", R"("max_image_seq_len": 200)"},
  };
  for (const auto& [name, value] : values) {
    const std::string key = value.substr(1, value.find('"', 1) - 1);
    INFO(name << " " << value);
    const std::string reason = refusal(folder, named(name, value));
    const bool other = key.starts_with("use_karras") || key == "use_dynamic_shifting";
    CHECK(reason.find(other ? "scheduler_config.json: " : key + " ") != std::string::npos);
  }
  CHECK(refusal(folder, named("FlowMatchEulerDiscreteScheduler", R"("time_shift_type": "linear")")).empty());
}

TEST_CASE("keys that a class does not read are named, those of the training are taken all the same") {
  const TemporaryFolder folder;
  const SchedulerConfig config = read(
      folder,
      named("FlowMatchHeunDiscreteScheduler", R"("use_dynamic_shifting": true, "use_karras_sigmas": false, "foo": 1)"));
  CHECK(config.sampling.flow_shift.dynamic);
  CHECK_THAT(hints(config), Catch::Contains("does not read use_dynamic_shifting"));
  CHECK_THAT(hints(config), Catch::Contains("left out: foo, use_karras_sigmas"));
  // What tells of a flow's training tells nothing of betas, nor the other way.
  const SchedulerConfig betas =
      read(folder, named("EulerDiscreteScheduler", R"("shift": 3.0, "use_dynamic_shifting": true)"));
  CHECK_THAT(hints(betas), Catch::Contains("left out: shift, use_dynamic_shifting"));
  CHECK_THAT(hints(betas), !Catch::Contains("lapis does"));
  CHECK(betas.sampling.flow_shift == FlowShift{});
  const SchedulerConfig flow = read(folder, named("FlowMatchEulerDiscreteScheduler", R"("beta_start": 0.1)"));
  CHECK_THAT(hints(flow), Catch::Contains("left out: beta_start") && !Catch::Contains("lapis does"));
  CHECK_THAT(hints(read(folder, named("DDIMScheduler", R"("set_alpha_to_one": false)"))),
             Catch::Contains("set_alpha_to_one is false"));
  CHECK(read(folder, named("DDIMScheduler", R"("set_alpha_to_one": true, "clip_sample": false)")).notes.empty());
}

TEST_CASE("the class is the configuration's, else the index's, and two that differ are told") {
  const TemporaryFolder folder;
  write_text(folder / "model_index.json", R"({"scheduler": ["diffusers", "DDIMScheduler"]})");
  CHECK(read(folder, "{}").sampler == "ddim");
  const SchedulerConfig config = read(folder, named("HeunDiscreteScheduler", ""));
  CHECK(config.sampler == "heun");
  CHECK_THAT(hints(config), Catch::Contains("model_index.json names DDIMScheduler"));
  write_text(folder / "model_index.json", "{}");
  CHECK_THAT(hints(read(folder, "{}")), Catch::Contains("names no class"));
}
