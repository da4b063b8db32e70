#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "../sample_model.hpp"
#include "core/job/job_fields.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

constexpr std::int64_t largest_number = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t largest_seed = std::numeric_limits<std::uint64_t>::max();

struct JobRefusal {
  std::function<void(Job&)> change;
  const char* text;
};

const std::array<JobRefusal, 26> job_refusals = {{
    {[](Job& j) { j.width = 513; }, "width is 513; expected a multiple of 8: 512 or 520"},
    {[](Job& j) { j.height = 32; }, "height is 32; expected 64 to 16384"},
    {[](Job& j) { j.height = largest_number; }, "height is"},
    {[](Job& j) { j.steps = 0; }, "steps is 0; expected 1 to 1000"},
    {[](Job& j) { j.steps = 1001; }, "steps is 1001; expected 1 to 1000"},
    {[](Job& j) { j.steps = 501; }, "sample was trained on 500 steps"},
    {[](Job& j) { j.guidance = -0.5; }, "guidance is -0.5; expected 0 to 100"},
    {[](Job& j) { j.guidance = std::nan(""); }, "guidance is nan"},
    {[](Job& j) { j.guidance = INFINITY; }, "guidance is inf"},
    {[](Job& j) { j.batch = 0; }, "batch is 0; expected 1 to 1024"},
    {[](Job& j) { j.batch = 100000; }, "batch is 100000; expected 1 to 1024"},
    {[](Job& j) { j.threads = -1; }, "threads is -1"},
    {[](Job& j) { j.seed = largest_seed, j.batch = 2; }, "at most 18446744073709551614"},
    {[](Job& j) { j.prompt = "caf\xE9 noir"; }, "prompt is not UTF-8: byte 3 is 0xE9"},
    {[](Job& j) { j.negative_prompt = "\xFF"; }, "negative_prompt is not UTF-8: byte 0 is 0xFF"},
    {[](Job& j) { j.prompt = std::string("a\0b", 3); }, "prompt has a NUL as byte 1"},
    {[](Job& j) { j.sampler = "eular"; }, "sampler is \"eular\"; expected one of \"euler\", \"euler_a\", "},
    {[](Job& j) { j.spacing = "leadin"; }, "Did you mean \"leading\"?"},
    {[](Job& j) { j.device = "cud"; }, "device is \"cud\"; expected one of \"auto\", \"cpu\" and \"cuda\"."},
    {[](Job& j) { j.device = "gpu"; }, "Did you mean \"cuda\"?"},
    {[](Job& j) { j.device = ""; }, "device is \"\""},
    {[](Job& j) { j.prompt_syntax = "comfi"; }, "Did you mean \"comfy\"?"},
    {[](Job& j) { j.clip_skip = 0; }, "clip_skip is 0; the text encoder of sample has 12 layers: expected 1"},
    {[](Job& j) { j.clip_skip = 13; }, "clip_skip is 13; the text encoder of sample has 12 layers"},
    {[](Job& j) { j.dtype = "fp61"; }, "Did you mean \"fp16\"?"},
    {[](Job& j) { j.dtype = "float64"; }, "dtype is \"float64\""},
}};

Model model_of_500_steps() {
  Model model = test::sample_model();
  model.sampling.train_steps = 500;
  return model;
}

}  // namespace

TEST_CASE("an empty job takes the model's defaults") {
  Model model = test::sample_model();
  model.sampling.spacing = Spacing::trailing;
  const ResolvedJob job = resolve({}, model, 0xABCDEF0112345678);
  CHECK(job.width == 128);
  CHECK(job.height == 192);
  CHECK(job.steps == 20);
  CHECK(job.guidance == 7.5);
  CHECK(job.sampler == "euler");
  CHECK(job.spacing == Spacing::trailing);
  CHECK(job.seed == 0xABCDEF01);
  CHECK(job.batch == 1);
  CHECK(job.device == "auto");
  CHECK(job.dtype == "auto");
  CHECK(job.threads == 0);
}

TEST_CASE("what a job says is kept") {
  Job job;
  job.prompt = "a lake, 猫";
  job.prompt_syntax = "comfy";
  job.clip_skip = 12;
  job.negative_prompt = "fog";
  job.width = 64;
  job.height = 16384;
  job.steps = 1000;
  job.guidance = 0;
  job.seed = 0;
  job.batch = 3;
  job.sampler = "k_Euler";
  job.spacing = "linspace";
  job.device = "cuda";
  job.dtype = "bf16";
  job.threads = 2;
  const ResolvedJob resolved = resolve(job, test::sample_model(), 1);
  CHECK(resolved.prompt == job.prompt);
  CHECK(resolved.prompt_syntax == PromptSyntax::comfy);
  CHECK(resolved.clip_skip == 12);
  CHECK(resolved.negative_prompt == "fog");
  CHECK(resolved.width == 64);
  CHECK(resolved.height == 16384);
  CHECK(resolved.steps == 1000);
  CHECK(resolved.guidance == 0);
  CHECK(resolved.seed == 0);
  CHECK(resolved.batch == 3);
  CHECK(resolved.sampler == "euler");
  CHECK(resolved.spacing == Spacing::linspace);
  CHECK(resolved.device == "cuda");
  CHECK(resolved.dtype == "bf16");
  CHECK(resolved.threads == 2);
}

TEST_CASE("a seed that is not said is random, and a large one leaves room for the batch") {
  Job job;
  CHECK(resolve(job, test::sample_model(), ~std::uint64_t{0}).seed == 0xFFFFFFFF);
  job.seed = largest_seed;
  CHECK(resolve(job, test::sample_model(), 0).seed == largest_seed);
}

TEST_CASE("what makes no sense is refused, with flag, found and expected") {
  for (const JobRefusal& refusal : job_refusals) {
    INFO(refusal.text);
    Job job;
    refusal.change(job);
    CHECK_THROWS_WITH(resolve(job, model_of_500_steps(), 0), Catch::Contains(refusal.text));
    try {
      resolve(job, model_of_500_steps(), 0);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
    }
  }
}

namespace {

std::string refusal(const Job& job, const Model& model) {
  try {
    resolve(job, model, 0);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an SDXL network is told the picture's own size and no crop, unless the job says others") {
  Job job;
  job.width = 512;
  job.height = 256;
  const Model model = test::sample_model("sdxl");
  CHECK(resolve(job, model, 0).original_size == PixelSize{512, 256});
  CHECK(resolve(job, model, 0).crop == PixelOffset{0, 0});
  job.original_size = "1024x768";
  job.crop = "8,64";
  CHECK(resolve(job, model, 0).original_size == PixelSize{1024, 768});
  CHECK(resolve(job, model, 0).crop == PixelOffset{8, 64});
  for (const char* bad : {"1024", "x", "1024x", "1024x768x2", "1024,768", "a x b", "1024 x 768", ""}) {
    job.original_size = bad;
    CHECK_THAT(refusal(job, model), Catch::StartsWith("original_size is \"" + std::string(bad) + "\"; expected two"));
  }
  job.original_size = "8x768";
  CHECK_THAT(refusal(job, model), Catch::StartsWith("original_size is 8; expected 64 to 16384"));
  job.original_size.reset();
  job.crop = "-1,0";
  CHECK_THAT(refusal(job, model), Catch::StartsWith("crop is -1; expected 0 to 16384"));
}

TEST_CASE("options that a family does not have are refused by the name of the model and its family") {
  for (const char* family : {"sd15", "sd2", "flux"}) {
    Job sized;
    sized.original_size.emplace("1024x1024");
    CHECK_THAT(refusal(sized, test::sample_model(family)),
               Catch::StartsWith("original_size: sample is of family " + std::string(family)));
    Job cropped;
    cropped.crop.emplace("0,0");
    CHECK_THAT(refusal(cropped, test::sample_model(family)), Catch::StartsWith("crop: "));
  }
  Job job;
  job.true_guidance = 3;
  CHECK_THAT(refusal(job, test::sample_model("sdxl")), Catch::Contains("Use guidance"));
  CHECK(refusal(job, test::sample_model("flux")).empty());
}

TEST_CASE("Flux reads guidance as a number, and a negative prompt asks for a second pass") {
  Job job;
  const ResolvedJob plain = resolve(job, test::sample_model("flux"), 0);
  CHECK(plain.guidance == 7.5);
  CHECK(cfg_scale(plain) == 1);
  job.negative_prompt = "fog";
  CHECK_THAT(refusal(job, test::sample_model("flux")), Catch::Contains("Add true_guidance SCALE above 1"));
  job.true_guidance = 4;
  const ResolvedJob two = resolve(job, test::sample_model("flux"), 0);
  CHECK(two.guidance == 7.5);
  CHECK(cfg_scale(two) == 4);
  CHECK(cfg_scale(resolve({}, test::sample_model("sdxl"), 0)) == 7.5);
}

TEST_CASE("a schnell model has no guidance to set") {
  Job job;
  job.guidance = 3.5;
  CHECK_THAT(refusal(job, test::schnell_model()), Catch::StartsWith("guidance: sample is of the schnell type"));
  job.guidance.reset();
  CHECK(resolve(job, test::schnell_model(), 0).guidance == 0);
}

TEST_CASE("sides are multiples of the family's") {
  Job job;
  job.width = 136;
  CHECK(resolve(job, test::sample_model("sdxl"), 0).width == 136);
  CHECK(refusal(job, test::sample_model("flux")) == "width is 136; expected a multiple of 16: 128 or 144");
}

TEST_CASE("a picture to start from has a strength and a fit") {
  Job job;
  job.image.emplace("sha256:00");
  const ResolvedJob found = resolve(job, test::sample_model(), 0);
  CHECK(found.image == "sha256:00");
  CHECK(found.strength == 0.75);
  CHECK(found.fit == "stretch");
  CHECK_FALSE(found.mask_paste);
  job.mask.emplace("sha256:01");
  CHECK(resolve(job, test::sample_model(), 0).mask_paste == "on");
  CHECK_FALSE(resolve({}, test::sample_model(), 0).strength);
}

TEST_CASE("a strength leaves a step to do, on either path") {
  Job job;
  job.image.emplace("a.png");
  job.steps = 20;
  job.strength = 0.049;
  CHECK_THROWS_WITH(resolve(job, test::sample_model(), 0), Catch::Contains("no step") && Catch::Contains("0.05"));
  for (int steps = 1; steps < 200; ++steps) {  // what the message advises works
    job.steps = steps;
    job.strength = std::ceil(1000.0 / steps) / 1000;
    CHECK_NOTHROW(resolve(job, test::sample_model(), 0));
  }
  job.strength = -0.1;
  CHECK_THROWS_WITH(resolve(job, test::sample_model(), 0), Catch::Contains("strength is -0.1; expected 0 to 1"));
}

TEST_CASE("a second pass has sides of the family's multiple") {
  Job job;
  job.width = 136;
  job.height = 64;
  job.hires = 1.5;
  const ResolvedJob found = resolve(job, test::sample_model(), 0);
  CHECK(found.hires_width == 200);
  CHECK(found.hires_height == 96);
  CHECK(found.hires_steps == found.steps);
  CHECK(found.hires_strength == 0.5);
  job.hires_steps = 1;
  CHECK_THROWS_WITH(resolve(job, test::sample_model(), 0), Catch::Contains("hires_strength 0.5 of 1 step"));
  CHECK(resolve({}, test::sample_model(), 0).hires_width == 0);
}

TEST_CASE("without a VAE encoder no picture can be read") {
  Model model = test::sample_model();
  model.parts.erase("vae_encoder");
  Job job;
  job.image.emplace("a.png");
  CHECK_THROWS_WITH(resolve(job, model, 0), Catch::Contains("no vae_encoder") && Catch::Contains("image"));
  job.image.reset();
  job.hires = 2;
  CHECK_THROWS_WITH(resolve(job, model, 0), Catch::Contains("hires"));
  CHECK_NOTHROW(resolve({}, model, 0));
}
