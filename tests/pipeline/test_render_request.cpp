#include <catch2/catch.hpp>
#include <utility>

#include "core/job/job_fields.hpp"
#include "io/latent/latent_file.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/render_request.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

ResolvedJob job_of(const Model& model, double hires) {
  Job job;
  job.prompt = "a lake";
  job.width = 64;
  job.height = 96;
  job.steps = 5;
  job.batch = 2;
  if (hires > 0) job.hires = hires;
  return core::resolve(job, model, 1);
}

}  // namespace

TEST_CASE("a request has the job's schedule and its tokens by tokenizer, and decodes its pictures") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  io::EncodedPrompts prompts;
  prompts.prompt["tokenizer"].chunks = Tokens(2);
  prompts.negative["tokenizer"].chunks = Tokens(1);
  const RenderRequest request = render_request(job_of(model, 0), model, std::move(prompts));
  CHECK(request.schedule.sigmas.size() == 6);
  CHECK_FALSE(request.hires_schedule);
  CHECK(request.prompt.at("tokenizer").size() == 2);
  CHECK(request.negative.at("tokenizer").size() == 1);
  CHECK(request.decodes);
}

TEST_CASE("a second pass has a schedule of its own, and decides the size of the latents") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  const ResolvedJob once = job_of(model, 0);
  CHECK(passport_of(once, model).shape == std::array<std::int64_t, 4>{2, 4, 12, 8});
  CHECK(passport_of(once, model).vae_sha256 == io::vae_digest(model));
  const ResolvedJob twice = job_of(model, 2);
  CHECK(render_request(twice, model, {}).hires_schedule);
  CHECK(second_pass_steps(render_request(once, model, {}), model) == 0);
  CHECK(second_pass_steps(render_request(twice, model, {}), model) == 2);
  CHECK(passport_of(twice, model).shape == std::array<std::int64_t, 4>{2, 4, 24, 16});
}
