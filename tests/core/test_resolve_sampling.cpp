#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <tuple>

#include "../sample_model.hpp"
#include "core/job/job_fields.hpp"
#include "core/job/resolve_sampling.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "lapis/error.hpp"
#include "sampler_runs.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

struct Refusal {
  std::function<void(Job&)> change;
  const char* text;
};

Model flow_model() {
  Model model = test::sample_model();
  model.name = "stream";
  model.family = "flux";
  model.sampling.prediction = Prediction::flow;
  model.sampling.flow_shift.dynamic = true;
  return model;
}

void check_refusals(std::span<const Refusal> refusals, const Model& model) {
  for (const Refusal& refusal : refusals) {
    INFO(refusal.text);
    Job job;
    refusal.change(job);
    CHECK_THROWS_WITH(resolve(job, model, 0), Catch::Contains(refusal.text));
  }
}

}  // namespace

TEST_CASE("an empty job takes the schedule of the model, and what its sampler has") {
  Model model = test::sample_model();
  model.defaults.schedule = "karras";
  const ResolvedJob job = resolve({}, model, 0);
  CHECK(job.schedule == "karras");
  CHECK_FALSE(job.sigmas);
  CHECK_FALSE(job.shift);
  CHECK_FALSE(job.eta);
  CHECK(job.guidance_interval == Interval{0, 1});
  CHECK(job.guidance_rescale == 0);
  Job ancestral;
  ancestral.sampler = "Euler a";
  CHECK(resolve(ancestral, model, 0).eta == 1);
  ancestral.eta = 0.5;
  CHECK(resolve(ancestral, model, 0).eta == 0.5);
}

TEST_CASE("sigmas by hand decide the steps") {
  Job job;
  job.sigmas = "14.6, 6,2.5,1e0,0.4,0";
  const ResolvedJob resolved = resolve(job, test::sample_model(), 0);
  CHECK(resolved.schedule == "by_hand");
  CHECK(resolved.steps == 5);
  CHECK(resolved.sigmas == std::vector<double>{14.6, 6, 2.5, 1, 0.4});
  CHECK(schedule_of(resolved, test::sample_model()).sigmas == std::vector<double>{14.6, 6, 2.5, 1, 0.4, 0});
  job.steps = 5;
  job.schedule = "by_hand";
  CHECK(resolve(job, test::sample_model(), 0).steps == 5);
}

TEST_CASE("a second pass has a schedule of its own steps and size") {
  Model model = flow_model();
  ResolvedJob job = resolve({}, model, 0);
  job.hires = 2;
  job.hires_steps = 6;
  job.hires_width = 2 * job.width;
  job.hires_height = 2 * job.height;
  const double own = shift_for(model, job.hires_width, job.hires_height).value();
  CHECK(own > job.shift.value());
  CHECK(hires_schedule_of(job, model).sigmas.size() == 7);
  CHECK(hires_schedule_of(job, model).sigmas[3] == Approx(shifted(0.5, own)));
  job.shift = 1.5;
  CHECK(hires_schedule_of(job, model).sigmas[3] == Approx(shifted(0.5, 1.5)));
  job.schedule = "lcm";
  job.hires_steps = 51;
  model = test::sample_model();
  CHECK_THROWS_WITH(check_hires_sampling(model, job), Catch::Contains("hires_steps 51: schedule lcm takes"));
  job.schedule = "by_hand";
  job.sigmas = {3, 2, 1};
  CHECK_THROWS_WITH(check_hires_sampling(model, job), Catch::Contains("sigmas has 3 numbers"));
  job.hires_steps = 3;
  CHECK_NOTHROW(check_hires_sampling(model, job));
}

TEST_CASE("a flow's shift comes from its tokens, unless the job says one") {
  Job job;
  job.width = job.height = 1024;
  CHECK(resolve(job, flow_model(), 0).shift == Approx(3.15819).epsilon(1e-5));
  job.shift = 2;
  CHECK(resolve(job, flow_model(), 0).shift == 2);
  CHECK(shift_for(flow_model(), 512, 512) == Approx(1.87761).epsilon(1e-5));
  CHECK_FALSE(shift_for(test::sample_model(), 512, 512));
}

TEST_CASE("what a model with betas cannot sample is refused, with what fits") {
  const std::array<Refusal, 18> refusals = {{
      {[](Job& j) { j.schedule = "karas"; }, "schedule is \"karas\""},
      {[](Job& j) { j.schedule = "lcm", j.steps = 60; }, "schedule lcm takes its steps from 50 and cannot make 60"},
      {[](Job& j) { j.schedule = "by_hand"; }, "schedule is by_hand, which needs its numbers: sigmas"},
      {[](Job& j) { j.schedule = "karras", j.spacing = "trailing"; },
       "only schedule own of a model with betas reads it"},
      {[](Job& j) { j.sigmas = "3,2", j.schedule = "karras"; }, "schedule is karras; give one"},
      {[](Job& j) { j.sigmas = "3,2", j.steps = 3; }, "steps is 3 and sigmas has 2 numbers"},
      {[](Job& j) { j.sigmas = "3,4"; }, "sigmas has 4 as number 2, behind 3; they must fall"},
      {[](Job& j) { j.sigmas = "3,3"; }, "sigmas has 3 as number 2, behind 3"},
      {[](Job& j) { j.sigmas = "3,0,0"; }, "sigmas has 0 as number 2; all but a last 0 are above 0"},
      {[](Job& j) { j.sigmas = "nan"; }, "all but a last 0 are above 0"},
      {[](Job& j) { j.sigmas = "80,3"; }, "sigmas has 80 as number 1; sample was trained up to 14.6"},
      {[](Job& j) { j.sigmas = "3,x"; }, "sigmas has \"x\" as number 2; expected numbers with commas"},
      {[](Job& j) { j.sigmas = ""; }, "sigmas has \"\" as number 1"},
      {[](Job& j) { j.shift = 3; }, "shift moves the noise levels of a flow model; sample is none"},
      {[](Job& j) { j.eta = 0.5; }, "euler has no such share. Those that have are \"euler_a\""},
      {[](Job& j) { j.eta = 2, j.sampler = "ddim"; }, "eta is 2; expected 0 to 1"},
      {[](Job& j) { j.guidance_interval = "0.8,0.2"; }, "expected two fractions of the steps"},
      {[](Job& j) { j.guidance_rescale = 0.7, j.guidance = 1; },
       "the guidance of this job is 1: nothing is guided at 1 or less"},
  }};
  check_refusals(refusals, test::sample_model());
}

TEST_CASE("what a flow cannot sample is refused, with the reason and what fits") {
  const std::array<Refusal, 8> refusals = {{
      {[](Job& j) { j.sampler = "ddpm"; }, "sampler ddpm cannot sample a flow model such as stream: it is the chain"},
      {[](Job& j) { j.sampler = "PLMS"; }, "Those that can are \"euler\", \"euler_a\""},
      {[](Job& j) { j.sampler = "tcd"; }, "sampler tcd cannot sample"},
      {[](Job& j) { j.schedule = "ays"; }, "schedule ays fits no flow model"},
      {[](Job& j) { j.schedule = "lcm"; }, "For stream there are \"own\", \"normal\""},
      {[](Job& j) { j.spacing = "leading"; }, "only schedule own of a model with betas reads it"},
      {[](Job& j) { j.sigmas = "1.5,1"; }, "stream was trained up to 1"},
      {[](Job& j) { j.shift = 0; }, "shift is 0; expected 0.01 to 100"},
  }};
  check_refusals(refusals, flow_model());
}

TEST_CASE("every sampler with every schedule on every prediction ends finite, or is refused with the reason") {
  int resolved_count = 0;
  int refused = 0;
  for (const Prediction prediction : {Prediction::epsilon, Prediction::v, Prediction::flow}) {
    Model model = test::sample_model();
    model.sampling.prediction = prediction;
    for (const SamplerRow& sampler : samplers()) {
      for (const ScheduleRow& row : schedules()) {
        for (const int steps : {1, 2, 4, 25}) {
          INFO(sampler.name << ", " << row.name << ", " << steps << " steps, prediction "
                            << static_cast<int>(prediction));
          Job job;
          job.sampler = sampler.name;
          job.schedule = row.name;
          job.steps = steps;
          if (row.kind == ScheduleKind::by_hand) {
            job.sigmas = "0.9,0.5,0.1";
            job.steps = std::nullopt;
          }
          const Path path = path_of(prediction);
          const bool fits = supports(sampler, path) && (path != Path::flow || row.not_on_flow.empty());
          if (!fits) {
            ++refused;
            const std::string reason = supports(sampler, path) ? row.not_on_flow : sampler.not_on_flow;
            CHECK_THROWS_WITH(resolve(job, model, 0), Catch::Contains(reason));
            continue;
          }
          ++resolved_count;
          const ResolvedJob resolved = resolve(job, model, 0);
          const Schedule schedule = schedule_of(resolved, model);
          const SigmaTimeMap times(model.sampling);
          const SamplerContext course{schedule.sigmas, path, resolved.eta.value_or(0), &times};
          const double end = sample(
              sampler, test::Gaussian{path}, 0.8 * schedule.initial_noise, course, [] { return -0.6; },
              test::no_callback);
          CHECK(std::isfinite(end));
          CHECK(std::abs(end) < 15);  // noise of the first sigma, where two steps cannot take it all away
        }
      }
    }
  }
  CHECK(resolved_count == 4 * (2 * 19 * 13 + 16 * 11));
  CHECK(refused == 4 * (19 * 13 - 16 * 11));
}

TEST_CASE("a model's own sampler and schedule must go together") {
  Model model = flow_model();
  CHECK_FALSE(sampling_defaults_problem(model));
  model.defaults.schedule = "ays";
  CHECK_THAT(sampling_defaults_problem(model).value(), Catch::Contains("schedule ays fits no flow model"));
  model.defaults.schedule = "by_hand";
  CHECK_THAT(sampling_defaults_problem(model).value(), Catch::Contains("for a job that gives its sigmas"));
  model.defaults.schedule = "own";
  model.defaults.sampler = "tcd";
  CHECK_THAT(sampling_defaults_problem(model).value(), Catch::Contains("cannot sample a flow model"));
  model.defaults.sampler = "eular";
  CHECK_THAT(sampling_defaults_problem(model).value(), Catch::Contains("sampler is"));
}

TEST_CASE("zero terminal SNR begins at noise alone with every sampler that can, and the others say why not") {
  Model model = test::sample_model();
  model.sampling.prediction = Prediction::v;
  model.sampling.spacing = Spacing::trailing;
  for (const SamplerRow& row : samplers()) {
    INFO(row.name);
    Job job;
    job.sampler = row.name;
    job.zero_snr = "on";
    if (row.terminal == Terminal::none) {
      CHECK_THROWS_WITH(resolve(job, model, 0), Catch::Contains("sampler " + row.name) && Catch::Contains("euler_a"));
      job.spacing = "leading";  // leaves the last training step out
      CHECK(schedule_of(resolve(job, model, 0), model).sigmas.front() < 1000);
      continue;
    }
    const ResolvedJob resolved = resolve(job, model, 0);
    CHECK(resolved.zero_snr == "on");
    const Schedule schedule = schedule_of(resolved, model);
    const bool wholly = row.terminal == Terminal::wholly;
    CHECK(schedule.timesteps.front() == 999);
    CHECK(schedule.sigmas.front() == Approx(wholly ? noise_alone : 4096).epsilon(1e-6));
    CHECK(schedule.initial_noise == Approx(schedule.sigmas.front()).epsilon(1e-6));
    CHECK(schedule.sigmas[1] < 1000);
    job.zero_snr = "off";
    CHECK(schedule_of(resolve(job, model, 0), model).sigmas.front() == Approx(14.6146).epsilon(1e-4));
  }
}

TEST_CASE("from noise alone every sampler that can begins near where the exact path does") {
  Model model = test::sample_model();
  model.sampling.prediction = Prediction::v;
  model.sampling.spacing = Spacing::trailing;
  model.sampling.zero_snr = true;
  const SigmaTimeMap times(model.sampling);
  for (const SamplerRow& row : samplers()) {
    if (row.terminal == Terminal::none || row.name == "lcm" || row.name == "ddpm") continue;
    INFO(row.name);
    Job job;
    job.sampler = row.name;
    job.steps = 300;
    if (row.eta) job.eta = 0;
    const Schedule schedule = schedule_of(resolve(job, model, 0), model);
    const test::Gaussian gaussian{Path::variance_exploding};
    const double start = -1.5 * schedule.initial_noise;
    const double end = sample(
        row, gaussian, start, {schedule.sigmas, Path::variance_exploding, 0, &times}, [] { return 0.0; },
        test::no_callback);
    CHECK(end == Approx(gaussian.end_of_path(start, schedule.sigmas.front())).margin(0.03));
  }
}

TEST_CASE("zero terminal SNR is the model's unless the job says otherwise, and no flow's") {
  Model model = test::sample_model();
  CHECK(resolve({}, model, 0).zero_snr == "off");
  model.sampling.zero_snr = true;
  CHECK(resolve({}, model, 0).zero_snr == "on");
  CHECK(sampling_of(resolve({}, model, 0), model).zero_snr);
  CHECK_FALSE(resolve({}, flow_model(), 0).zero_snr);
  const std::array<Refusal, 2> refusals = {{
      {[](Job& job) { job.zero_snr = "yes"; }, "zero_snr is \"yes\""},
      {[](Job& job) { job.sampler = "ddim"; }, "predicts noise"},
  }};
  check_refusals(refusals, model);
  const std::array<Refusal, 1> on_flow = {{{[](Job& job) { job.zero_snr = "on"; }, "stream is a flow"}}};
  check_refusals(on_flow, flow_model());
  Job by_hand;
  by_hand.sigmas = "4096,10,1";
  CHECK_NOTHROW(resolve(by_hand, model, 0));
  by_hand.zero_snr = "off";
  CHECK_THROWS_WITH(resolve(by_hand, model, 0), Catch::Contains("was trained up to"));
}

TEST_CASE("a model whose own sampler cannot begin at noise alone says so") {
  Model model = test::sample_model();
  model.sampling.zero_snr = true;
  model.sampling.spacing = Spacing::trailing;
  CHECK_FALSE(sampling_defaults_problem(model));
  model.defaults.sampler = "heun";
  CHECK_THAT(sampling_defaults_problem(model).value_or(""), Catch::Contains("cannot begin at noise alone"));
}

TEST_CASE("a name of a sampler and a schedule is taken apart, in every pair and spelling") {
  for (const SamplerRow& sampler : samplers()) {
    for (const ScheduleRow& schedule : schedules()) {
      for (const std::string& name :
           {sampler.label + " " + schedule.label, sampler.name + "_" + schedule.name, sampler.label + schedule.name}) {
        Job job;
        job.sampler = name;
        CAPTURE(name);
        REQUIRE(split_sampler(job));
        CHECK(job.sampler == sampler.name);
        CHECK(job.schedule == schedule.name);
      }
    }
    for (const std::string& alone : names_of(sampler)) {
      Job job;
      job.sampler = alone;
      CAPTURE(alone);
      CHECK_FALSE(split_sampler(job));
      CHECK(&find_sampler(alone) == &sampler);
    }
  }
  for (const char* name : {"", "Karras", "DPM fast", "Restart", "DPM++ 2M SDE Heun Karras", "DPM++ 2M Karas"}) {
    Job job;
    job.sampler = name;
    CHECK_FALSE(split_sampler(job));
    CHECK_FALSE(job.schedule.has_value());
  }
}

TEST_CASE("the web UI's old names of both are known") {
  // modules/sd_samplers_kdiffusion.py of version 1.8, those whose run lapis has
  for (const auto& [name, sampler, schedule] : {std::tuple{"LMS Karras", "lms", "karras"},
                                                {"DPM2 Karras", "dpm2", "karras"},
                                                {"DPM2 a Karras", "dpm2_a", "karras"},
                                                {"DPM++ 2S a Karras", "dpmpp_2s_a", "karras"},
                                                {"DPM++ 2M Karras", "dpmpp_2m", "karras"},
                                                {"DPM++ SDE Karras", "dpmpp_sde", "karras"},
                                                {"DPM++ 2M SDE Karras", "dpmpp_2m_sde", "karras"},
                                                {"DPM++ 2M SDE Exponential", "dpmpp_2m_sde", "exponential"},
                                                {"DPM++ 3M SDE Karras", "dpmpp_3m_sde", "karras"},
                                                {"DPM++ 3M SDE Exponential", "dpmpp_3m_sde", "exponential"}}) {
    Job job;
    job.sampler = name;
    CHECK(split_sampler(job));
    CHECK(job.sampler == sampler);
    CHECK(job.schedule == schedule);
  }
}
