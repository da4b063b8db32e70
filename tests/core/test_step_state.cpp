// Jobs that start from a latent or leave one.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "../sample_model.hpp"
#include "core/job/job_fields.hpp"
#include "core/job/step_state.hpp"
#include "core/sampling/schedule_table.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

Job stopping(std::int64_t step) {
  Job job;
  job.prompt = "a lake";
  job.seed = 1;
  job.stop_at = step;
  return job;
}

/// A latent of two pictures of 128 x 192 pixels.
Passport finished(const Model& model) {
  Passport passport;
  passport.space = model.space;
  passport.shape = {2, model.space.channels, 24, 16};
  return passport;
}

/// The same, as `stopping(step)` leaves it.
Passport partial(const Model& model, int step) {
  Passport passport = finished(model);
  passport.path = path_of(model.sampling.prediction);
  passport.step = step;
  passport.sigma = schedule_of(resolve(stopping(step), model, 0), model).sigmas.at(static_cast<std::size_t>(step));
  return passport;
}

Job from_latent() {
  Job job;
  job.prompt = "a lake";
  job.seed = 1;
  job.init_latent = "a.safetensors";
  return job;
}

void check_refused(const Job& job, const Passport* latent, const std::string& says, const Model& model,
                   ErrorKind kind = ErrorKind::usage) {
  INFO(says);
  try {
    resolve(job, model, 0, latent);
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains(says));
    CHECK(error.kind() == kind);
  }
}

}  // namespace

TEST_CASE("a run stops after a step that it does, and before its last") {
  const Model model = test::sample_model();
  CHECK(resolve(stopping(1), model, 0).stop_at == 1);
  CHECK(resolve(stopping(19), model, 0).stop_at == 19);
  CHECK_FALSE(resolve({}, model, 0).stop_at);
  for (const int step : {0, -1, 20, 1000}) {
    check_refused(stopping(step), nullptr,
                  "stop_at is " + std::to_string(step) + "; a run of 20 steps can stop after 1 to 19", model);
  }
  Job one = stopping(1);
  one.steps = 1;
  check_refused(one, nullptr, "a run of 1 step has no place to stop", model);
  Job hires = stopping(3);
  hires.hires = 2;
  check_refused(hires, nullptr, "stop_at and hires", model);
}

TEST_CASE("a run from a picture stops behind the steps its strength leaves out") {
  const Model model = test::sample_model();
  Job job = stopping(15);
  job.image = "a.png";
  job.strength = 0.5;
  CHECK(resolve(job, model, 0).stop_at == 15);
  job.stop_at = 10;
  check_refused(job, nullptr, "20 steps, 10 of them passed at its beginning, can stop after 11 to 19", model);
  job.stop_at = 15;
  job.guidance_interval = "0.2,0.8";
  check_refused(job, nullptr, "guidance_interval", model);
  job.guidance_interval = "0,1";
  CHECK_NOTHROW(resolve(job, model, 0));
  job.mask = "mask.png";
  check_refused(job, nullptr, "stop_at and mask", model);
}

TEST_CASE("a finished latent gives size and batch, and is drawn anew by a strength") {
  const Model model = test::sample_model();
  const Passport latent = finished(model);
  const ResolvedJob job = resolve(from_latent(), model, 0, &latent);
  CHECK(job.width == 128);
  CHECK(job.height == 192);
  CHECK(job.batch == 2);
  CHECK(job.strength == 0.75);
  CHECK(job.init_latent == "a.safetensors");
  CHECK_FALSE(job.image);
  CHECK_FALSE(job.fit);
  Job same = from_latent();
  same.width = 128;
  same.batch = 2;
  same.strength = 0.3;
  CHECK(resolve(same, model, 0, &latent).strength == 0.3);
  same.width = 64;
  check_refused(same, &latent, "width is 64; the latent to start from is of 128 x 192 pixels", model);
  same.width = 128;
  same.batch = 3;
  check_refused(same, &latent, "batch is 3; the latent to start from is of 2 pictures", model);
  Job stopped = from_latent();
  stopped.stop_at = 5;
  check_refused(stopped, &latent, "can stop after 6 to 19", model);
  Job weak = from_latent();
  weak.strength = 0;
  check_refused(weak, &latent, "strength is 0", model);
}

TEST_CASE("a latent has no pixels, and a job has one start") {
  const Model model = test::sample_model();
  const Passport latent = finished(model);
  Job job = from_latent();
  job.image = "a.png";
  check_refused(job, &latent, "image", model);
  job = from_latent();
  job.mask = "mask.png";
  check_refused(job, &latent, "mask", model);
  job = from_latent();
  job.fit = "crop";
  check_refused(job, &latent, "fit", model);
  job = from_latent();
  job.mask_paste = "on";
  check_refused(job, &latent, "mask_paste", model);
  check_refused(from_latent(), nullptr, "passport", model, ErrorKind::internal);
}

TEST_CASE("a partially denoised latent goes on from where it stands, on its own schedule alone") {
  for (const char* family : {"sd15", "flux"}) {
    INFO(family);
    const Model model = test::sample_model(family);
    const Passport latent = partial(model, 7);
    const ResolvedJob job = resolve(from_latent(), model, 0, &latent);
    CHECK_FALSE(job.strength);
    CHECK(job.batch == 2);
    Job later = from_latent();
    later.stop_at = 8;
    CHECK(resolve(later, model, 0, &latent).stop_at == 8);
    later.stop_at = 7;
    check_refused(later, &latent, "7 of them passed at its beginning, can stop after 8 to 19", model);
    Job strong = from_latent();
    strong.strength = 0.75;
    check_refused(strong, &latent, "strength: the latent is partially denoised", model);
    Job longer = from_latent();
    longer.steps = 30;
    check_refused(longer, &latent, "after 7 steps the latent stands at sigma " + number_text(latent.sigma), model);
    check_refused(longer, &latent, "Leave out steps, schedule, spacing, sigmas and shift", model);
    Job shorter = from_latent();
    shorter.steps = 5;
    check_refused(shorter, &latent, "this job has 5 in all", model);
    Passport nearby = latent;
    nearby.sigma = std::nextafter(latent.sigma, 0.0);
    check_refused(from_latent(), &nearby, "another schedule", model);
    Passport other_path = latent;
    other_path.path = latent.path == Path::flow ? Path::variance_exploding : Path::flow;
    check_refused(from_latent(), &other_path, "the model denoises", model, ErrorKind::incompatible);
  }
}
