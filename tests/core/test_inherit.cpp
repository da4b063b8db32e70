#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "../sample_model.hpp"
#include "core/family/spaces.hpp"
#include "core/job/inherit.hpp"
#include "core/job/job_fields.hpp"
#include "core/sampling/samplers.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

/// Every field of a job decided and written down: what a file of it would be read back as.
Job recorded(const Job& job, const Model& model) {
  Job back;
  for (const auto& [key, value] : resolved_fields(resolve(job, model, 0), model)) {
    const JobField& field = find_job_field(key);
    if (const auto* text = std::get_if<std::string>(&value)) set_field(back, field, *text);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) set_field(back, field, std::to_string(*whole));
    if (const auto* number = std::get_if<double>(&value)) set_field(back, field, number_text(*number));
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      for (const std::string& text : *list) set_field(back, field, text);
    }
  }
  return back;
}

Passport partial(const Model& model) {
  Passport latent;
  latent.space = model.space;
  latent.sigma = 1;
  return latent;
}

Job plain() {
  Job job;
  job.prompt = "a lake";
  job.seed = 7;
  return job;
}

}  // namespace

TEST_CASE("what any job of any family recorded resolves to the same settings again") {
  for (const char* family : {"sd15", "sdxl", "flux"}) {
    for (const Model& model : {test::sample_model(family), test::schnell_model()}) {
      for (const SamplerRow& row : samplers()) {
        if (!supports(row, path_of(model.sampling.prediction))) continue;
        for (const char* schedule : {"own", "simple", "by_hand"}) {
          INFO(model.family << ", " << row.name << ", " << schedule);
          Job job = plain();
          job.sampler = row.name;
          job.schedule = schedule;
          if (job.schedule == "by_hand") job.sigmas = "0.9,0.4,0.1";
          const Job back = recorded(job, model);
          const Job again = inherit(back, {}, {}, partial(model), model);
          CHECK_FALSE(again.width);
          CHECK_FALSE(again.batch);
          CHECK(resolved_fields(resolve(again, model, 0), model) == resolved_fields(resolve(job, model, 0), model));
        }
      }
    }
  }
}

TEST_CASE("what is named counts, and takes with it what would contradict it") {
  const Model model = test::sample_model();
  Job job = plain();
  job.sampler = "ddim";
  job.eta = 0.5;
  job.guidance_interval = "0.2,0.8";
  const Job back = recorded(job, model);
  const auto with = [&](const char* key, const char* value) {
    Job asked;
    set_field(asked, find_job_field(key), value);
    return inherit(back, asked, {key}, partial(model), model);
  };
  CHECK(with("seed", "9").seed == 9);
  CHECK(with("seed", "9").prompt == "a lake");
  CHECK(with("prompt", "a house").prompt == "a house");
  CHECK(with("seed", "9").eta == 0.5);
  CHECK_FALSE(with("sampler", "euler").eta);
  CHECK(with("seed", "9").spacing == "leading");
  CHECK_FALSE(with("schedule", "karras").spacing);
  CHECK_FALSE(with("sigmas", "3,2,1").schedule);
  CHECK_FALSE(with("sigmas", "3,2,1").steps);
  CHECK(with("seed", "9").guidance_interval == "0.2,0.8");
  CHECK_FALSE(with("guidance", "1").guidance_interval);
  for (const char* key : {"sampler", "schedule", "sigmas", "guidance"}) {
    const char* value = std::string(key) == "sampler"    ? "euler"
                        : std::string(key) == "schedule" ? "karras"
                        : std::string(key) == "sigmas"   ? "3,2,1"
                                                         : "1";
    CHECK_NOTHROW(resolve(with(key, value), model, 0));
  }
  CHECK_THROWS_WITH(resolve(inherit(
                                back,
                                [] {
                                  Job asked;
                                  asked.sampler = "euler";
                                  asked.eta = 0.5;
                                  return asked;
                                }(),
                                {"sampler", "eta"}, partial(model), model),
                            model, 0),
                    Catch::Contains("eta"));
}

TEST_CASE("what the latent stands for is left behind") {
  const Model model = test::sample_model();
  Job job = plain();
  job.image = "sha256:ab";
  job.strength = 0.6;
  job.stop_at = 15;
  Job back = recorded(job, model);
  back.embeddings = {"charm"};
  const Job again = inherit(back, {}, {}, partial(model), model);
  CHECK_FALSE(again.image);
  CHECK_FALSE(again.strength);
  CHECK_FALSE(again.stop_at);
  CHECK(again.embeddings.empty());
  CHECK(again.seed == 7);
  Passport finished = partial(model);
  finished.sigma = 0;
  CHECK(inherit(back, {}, {}, finished, model).strength == 0.6);
  Job asked;
  asked.stop_at = 17;
  asked.embeddings = {"charm=charm.safetensors"};
  const Job named = inherit(back, asked, {"stop_at", "embeddings"}, partial(model), model);
  CHECK(named.stop_at == 17);
  CHECK(named.embeddings == asked.embeddings);
}

TEST_CASE("LoRAs are taken up, but not into another space") {
  const Model model = test::sample_model();
  Job back = recorded(plain(), model);
  back.loras = {"style:0.5"};
  Passport latent = partial(model);
  CHECK(inherit(back, {}, {}, latent, model).loras == back.loras);
  Job asked;
  asked.loras = {"other.safetensors"};
  CHECK(inherit(back, asked, {"loras"}, latent, model).loras == asked.loras);
  latent.sigma = 0;
  CHECK(inherit(back, {}, {}, latent, model).loras == back.loras);
  latent.space.scale *= 2;
  CHECK(inherit(back, {}, {}, latent, model).loras.empty());
  CHECK(stage_job(back, {"tiny-sdxl", 0.5}).loras == back.loras);
}

TEST_CASE("settings that another model has not are left behind too") {
  const Model sdxl = test::sample_model("sdxl");
  Job job = plain();
  job.crop = "8,8";
  const Job back = recorded(job, sdxl);
  for (const Model& other : {test::sample_model("sd15"), test::sample_model("flux"), test::schnell_model()}) {
    INFO(other.family);
    Job again = inherit(back, {}, {}, partial(other), other);
    again.sampler = "euler";
    CHECK_NOTHROW(resolve(again, other, 0));
  }
  CHECK(inherit(back, {}, {}, partial(sdxl), sdxl).crop == "8,8");
}

TEST_CASE("a finished latent of another space brings what the picture shows, and not how it was sampled") {
  Job job = plain();
  job.negative_prompt = "fog";
  job.steps = 30;
  job.sampler = "ddim";
  job.guidance = 9;
  const Model sd15 = test::sample_model("sd15");
  const Job back = recorded(job, sd15);
  Passport finished = partial(sd15);
  finished.sigma = 0;
  const Job same = inherit(back, {}, {}, finished, sd15);
  CHECK(same.steps == 30);
  CHECK(same.guidance == 9);
  const Job sdxl = inherit(back, {}, {}, finished, test::sample_model("sdxl"));
  CHECK(sdxl.prompt == "a lake");
  CHECK(sdxl.negative_prompt == "fog");
  CHECK(sdxl.seed == 7);
  CHECK_FALSE(sdxl.steps);
  CHECK_FALSE(sdxl.sampler);
  CHECK_FALSE(sdxl.guidance);
  const Model flux = test::sample_model("flux");
  const Job last = inherit(back, {}, {}, finished, flux);
  CHECK(last.negative_prompt.empty());
  Passport arrived = finished;
  arrived.space = flux.space;
  Job started = last;
  started.init_latent = "a latent";
  arrived.shape = {1, flux.space.channels, 16, 16};
  CHECK_NOTHROW(resolve(started, flux, 0, &arrived));
}

TEST_CASE("a second model and its strength are read from one word") {
  CHECK(parse_stage("tiny-sdxl").name == "tiny-sdxl");
  CHECK(parse_stage("tiny-sdxl").strength == 0.5);
  CHECK(parse_stage("tiny-sdxl:0.25").name == "tiny-sdxl");
  CHECK(parse_stage("tiny-sdxl:0.25").strength == 0.25);
  CHECK(parse_stage("./a:b/model").name == "./a:b/model");
  CHECK(parse_stage("./a:b:1").name == "./a:b");
  CHECK_THROWS_WITH(parse_stage("a:1.5"), Catch::Contains("then") && Catch::Contains("1.5"));
  CHECK_THROWS_WITH(parse_stage("a:-1"), Catch::Contains("0 to 1"));
  CHECK_THROWS_WITH(parse_stage(":0.5"), Catch::Contains("MODEL"));
  CHECK_THROWS_WITH(parse_stage(""), Catch::Contains("MODEL"));
}

TEST_CASE("a second model takes the prompts and the seed, and what a job of two recorded is the second one's") {
  const Model model = test::sample_model();
  Job job = plain();
  job.negative_prompt = "fog";
  job.steps = 30;
  job.width = 512;
  job.hires = 2;
  job.then = "other:0.25";
  const Job second = stage_job(job, parse_stage(*job.then));
  CHECK(second.prompt == "a lake");
  CHECK(second.negative_prompt == "fog");
  CHECK(second.seed == 7);
  CHECK(second.model == "other");
  CHECK(second.strength == 0.25);
  CHECK_FALSE(second.steps);
  CHECK_FALSE(second.width);
  CHECK_FALSE(second.hires);
  CHECK_FALSE(second.then);
  Passport finished = partial(model);
  finished.sigma = 0;
  const Job again = inherit(recorded(job, model), {}, {}, finished, model);
  CHECK(again.strength == 0.25);
  CHECK_FALSE(again.steps);
  CHECK_FALSE(again.then);
}

namespace {

bool same(const Job& one, const Job& other, const JobField& field) {
  return std::visit([&](auto member) { return one.*member == other.*member; }, field.member);
}

/// A job that says something of every field.
Job filled() {
  Job job;
  for (const JobField& field : job_fields()) {
    const std::vector<std::string> choices = field.choices();
    const bool is_switch = std::holds_alternative<bool Job::*>(field.member);
    set_field(job, field, is_switch ? "true" : choices.empty() ? "1" : choices.back());
  }
  return job;
}

}  // namespace

TEST_CASE("a job inherits of every field what the field's row says") {
  const Model model = test::sample_model();
  Passport elsewhere;
  elsewhere.space = find_space("sdxl")->space;
  Job record = filled();
  for (const JobField& field : job_fields()) CHECK_FALSE(same(record, Job(), field));
  record.then.reset();
  const Job job = inherit(record, {}, {}, elsewhere, model);
  std::set<std::string> named;
  for (const JobField& field : job_fields()) {
    INFO(field.key);
    named.emplace(field.key);
    if (field.inherits.from_record != FromRecord::always) CHECK(same(job, Job(), field));
    if (!is_recorded(field)) CHECK(field.inherits.from_record == FromRecord::never);
  }
  CHECK(job.prompt == record.prompt);
  CHECK(job.seed == record.seed);
  const Job all = inherit({}, filled(), named, elsewhere, model);
  for (const JobField& field : job_fields()) CHECK(same(all, filled(), field));
}

TEST_CASE("a second model takes of every field what the field's row says") {
  const Job first = filled();
  const Job job = stage_job(first, {"other", 0.25});
  for (const JobField& field : job_fields()) {
    if (field.key == "model" || field.key == "strength") continue;
    INFO(field.key);
    CHECK(same(job, field.inherits.by_stage ? first : Job(), field));
  }
  CHECK(job.model == "other");
  CHECK(job.strength == 0.25);
}
