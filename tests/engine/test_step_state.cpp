// Runs that stop half way and go on, through the engine.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "rendering.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

constexpr int all_steps = 5;

/// The bundled model, or what it would be if its network predicted a flow: no picture comes of that, but a run does.
const Model& model_on(Path path) {
  static const Model flow = [] {
    Model changed = model();
    changed.sampling.prediction = Prediction::flow;
    return changed;
  }();
  return path == Path::flow ? flow : model();
}

/// A model on an engine that keeps its parts.
struct LoadedModel {
  std::unique_ptr<Engine> engine;
  const Model& model;

  void render(const RenderRequest& asked, const StepCallback& on_step, const PictureCallback& on_picture) const {
    const RenderEnd end =
        engine->render(model, asked, on_step, on_picture);  // outside of CHECK, which would take its errors
    CHECK(end == RenderEnd::finished);
  }
};

LoadedModel engine_on(Path path) { return {make_engine("fp32", 1, everything), model_on(path)}; }

RenderRequest run_of(const core::SamplerRow& row, Path path, int batch = 1) {
  RenderRequest made = request(11, batch, 1);
  made.job.width = 64;
  made.job.height = 64;
  made.job.steps = all_steps;
  made.job.sampler = row.name;
  if (row.eta) made.job.eta = 0.7;
  made.schedule = core::make_schedule(model_on(path), core::ScheduleKind::own, {}, all_steps);
  made.decodes = false;
  return made;
}

Latent latent_of(const LoadedModel& made, const RenderRequest& asked) {
  Latent all;
  made.render(asked, nullptr, [&](const Rendered& picture) {
    CHECK(picture.image.rgb.empty());
    if (all.values.empty()) {
      all = picture.latent;
      return;
    }
    all.shape[0] += 1;
    all.values.insert(all.values.end(), picture.latent.values.begin(), picture.latent.values.end());
    for (std::size_t i = 0; i < all.memory.size(); ++i) {
      const std::vector<float>& more = picture.latent.memory.at(i);
      all.memory[i].insert(all.memory[i].end(), more.begin(), more.end());
    }
  });
  return all;
}

Latent stopped(const LoadedModel& made, RenderRequest asked, int step) {
  asked.job.stop_at = step;
  return latent_of(made, asked);
}

Latent resumed(const LoadedModel& made, RenderRequest asked, const Latent& from) {
  asked.job.init_latent = "part.safetensors";
  asked.latent = from;
  return latent_of(made, asked);
}

}  // namespace

TEST_CASE("every sampler stops after any step and goes on to the latent of an unbroken run, to the bit") {
  for (const Path path : {Path::variance_exploding, Path::flow}) {
    const auto made = engine_on(path);
    for (const core::SamplerRow& row : core::samplers()) {
      if (!core::supports(row, path)) continue;
      INFO(row.name << (path == Path::flow ? " on a flow" : ""));
      const RenderRequest asked = run_of(row, path);
      const Latent unbroken = latent_of(made, asked);
      CHECK(unbroken.sigma == 0);
      for (int step = 1; step < all_steps; ++step) {
        INFO("stopped after " << step);
        const Latent part = stopped(made, asked, step);
        CHECK(part.sigma == asked.schedule.sigmas[static_cast<std::size_t>(step)]);
        CHECK(part.path == path);
        CHECK(part.step == step);
        CHECK(part.draws >= 1);
        CHECK(part.memory.empty() == (row.remembers == 0));
        const Latent whole = resumed(made, asked, part);
        CHECK(whole.values == unbroken.values);
        CHECK(whole.sigma == 0);
        CHECK(whole.memory.empty());
      }
    }
  }
}

TEST_CASE("without its memory a run that remembers ends elsewhere, and without its draws one with noise") {
  const auto made = engine_on(Path::variance_exploding);
  for (const core::SamplerRow& row : core::samplers()) {
    INFO(row.name);
    const RenderRequest asked = run_of(row, Path::variance_exploding);
    const Latent unbroken = latent_of(made, asked);
    const Latent part = stopped(made, asked, 3);
    Latent forgetful = part;
    forgetful.memory.clear();
    CHECK((resumed(made, asked, forgetful).values != unbroken.values) == (row.remembers > 0));
    Latent careless = part;
    careless.draws = 0;
    CHECK((resumed(made, asked, careless).values != unbroken.values) == row.uses_noise);
  }
}

TEST_CASE("a run may stop twice, in batches, and its steps are counted from where it goes on") {
  const auto made = engine_on(Path::variance_exploding);
  const RenderRequest asked = run_of(core::find_sampler("dpmpp_3m_sde"), Path::variance_exploding, 2);
  const Latent unbroken = latent_of(made, asked);
  RenderRequest again = asked;
  again.job.init_latent = "part.safetensors";
  again.latent = stopped(made, asked, 1);
  CHECK(again.latent->shape[0] == 2);
  again.job.stop_at = 4;
  std::vector<int> counted;
  Latent later;
  made.render(
      again,
      [&](int done, int all) {
        CHECK(all == 6);
        counted.push_back(done);
      },
      [](const Rendered&) {});
  CHECK(counted == std::vector<int>{1, 2, 3, 4, 5, 6});
  later = latent_of(made, again);
  CHECK(later.step == 4);
  CHECK(later.draws > again.latent->draws);
  CHECK(resumed(made, asked, later).values == unbroken.values);
}

TEST_CASE("a run that began with a picture goes on without it") {
  const auto made = engine_on(Path::variance_exploding);
  RenderRequest asked = run_of(core::find_sampler("euler_a"), Path::variance_exploding);
  RenderRequest drawing = asked;
  drawing.decodes = true;
  asked.image = pictures_of(*made.engine, drawing).front().image;
  asked.job.image = "a.png";
  asked.job.strength = 0.8;
  const Latent unbroken = latent_of(made, asked);
  const Latent part = stopped(made, asked, 3);
  CHECK(part.step == 3);
  CHECK(part.draws == 2 + 2);  // of the encoding, of the start, and one a step
  asked.image.reset();
  asked.job.image.reset();
  asked.job.strength.reset();
  CHECK(resumed(made, asked, part).values == unbroken.values);
}

TEST_CASE("a finished latent is noised and drawn anew, with no call of the VAE") {
  const auto made = engine_on(Path::variance_exploding);
  const RenderRequest asked = run_of(core::find_sampler("euler"), Path::variance_exploding);
  RenderRequest renewed = asked;
  renewed.latent = latent_of(made, asked);
  renewed.job.init_latent = "a.safetensors";
  renewed.job.seed += 1;
  std::vector<std::vector<float>> latents;
  for (const double strength : {0.2, 0.6, 1.0}) {
    renewed.job.strength = strength;
    made.render(renewed, nullptr, [&](const Rendered& picture) {
      CHECK(picture.timings.of(PartKind::vae_encoder) == 0);
      CHECK(picture.timings.of(PartKind::vae_decoder) == 0);
      latents.push_back(picture.latent.values);
    });
  }
  const auto distance = [&](const std::vector<float>& values) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += std::pow(values[i] - renewed.latent->values[i], 2);
    return sum;
  };
  CHECK(distance(latents[0]) > 0);
  CHECK(distance(latents[0]) < distance(latents[1]));
  CHECK(distance(latents[1]) < distance(latents[2]));
  renewed.decodes = true;
  CHECK_FALSE(pictures_of(*made.engine, renewed).front().image.rgb.empty());
}

TEST_CASE("a latent that does not belong to the run is refused") {
  const auto made = engine_on(Path::variance_exploding);
  const RenderRequest asked = run_of(core::find_sampler("dpmpp_2m"), Path::variance_exploding);
  const Latent part = stopped(made, asked, 3);
  const auto refused = [&](ErrorKind kind, const Latent& latent, const RenderRequest& job, const std::string& says) {
    try {
      resumed(made, job, latent);
      FAIL("not refused");
    } catch (const Error& error) {
      CHECK(error.kind() == kind);
      CHECK_THAT(error.what(), Catch::Contains(says));
    }
  };
  Latent elsewhere = part;
  elsewhere.sigma = std::nextafter(elsewhere.sigma, 0.0);
  refused(ErrorKind::usage, elsewhere, asked, "another schedule");
  Latent flow = part;
  flow.path = Path::flow;
  refused(ErrorKind::incompatible, flow, asked, "a flow");
  Latent foreign = part;
  foreign.space.lineage = "other";
  refused(ErrorKind::incompatible, foreign, asked, "sd15:other");
  RenderRequest forgetful = asked;
  forgetful.job.sampler = "euler";
  refused(ErrorKind::usage, part, forgetful, "another sampler");
  RenderRequest larger = asked;
  larger.job.width = 128;
  refused(ErrorKind::internal, part, larger, "size");
}
