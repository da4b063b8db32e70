#include <catch2/catch.hpp>
#include <string>

#include "io/diffusers_folder.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

void schedule(const TemporaryFolder& folder, const std::string& document) {
  write_text(folder / "scheduler/scheduler_config.json", document);
}

std::vector<std::string> names(const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> result;
  for (const auto& file : files) result.push_back(file.filename());
  return result;
}

}  // namespace

TEST_CASE("weights are one file, the shards of an index, or a half-precision variant") {
  const TemporaryFolder folder;
  CHECK(component_weights(folder.path(), "unet").empty());
  write_text(folder / "unet/diffusion_pytorch_model.fp16.safetensors", "");
  CHECK(names(component_weights(folder.path(), "unet")) ==
        std::vector<std::string>{"diffusion_pytorch_model.fp16.safetensors"});
  write_text(folder / "unet/diffusion_pytorch_model.safetensors", "");
  CHECK(names(component_weights(folder.path(), "unet")) ==
        std::vector<std::string>{"diffusion_pytorch_model.safetensors"});
  write_text(folder / "text_encoder_2/model.safetensors.index.json",
             R"({"metadata": {}, "weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors"}})");
  write_text(folder / "text_encoder_2/model-1.safetensors", "");
  CHECK_THROWS_WITH(component_weights(folder.path(), "text_encoder_2"), Catch::Contains("model-2.safetensors"));
  write_text(folder / "text_encoder_2/model-2.safetensors", "");
  CHECK(names(component_weights(folder.path(), "text_encoder_2")) ==
        std::vector<std::string>{"model-1.safetensors", "model-2.safetensors"});
}

TEST_CASE("an index that leads out of its folder and a pickle are refused") {
  const TemporaryFolder folder;
  write_text(folder / "unet/diffusion_pytorch_model.safetensors.index.json",
             R"({"weight_map": {"a": "../../etc/passwd"}})");
  CHECK_THROWS_WITH(component_weights(folder.path(), "unet"), Catch::Contains("leads out of its folder"));
  write_text(folder / "vae/diffusion_pytorch_model.bin", "");
  CHECK_THROWS_WITH(component_weights(folder.path(), "vae"), Catch::Contains("pickle"));
}

TEST_CASE("a scheduler's configuration tells the process, and what it leaves out is diffusers' own") {
  const TemporaryFolder folder;
  CHECK_FALSE(scheduler_facts(folder.path()));
  schedule(folder, R"({"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
                       "beta_schedule": "scaled_linear", "steps_offset": 1, "trained_betas": null})");
  CHECK(scheduler_facts(folder.path()) == SamplingFacts{});
  schedule(folder, R"({"prediction_type": "v_prediction", "timestep_spacing": "trailing"})");
  const SamplingFacts facts = *scheduler_facts(folder.path());
  CHECK(facts.prediction == Prediction::v);
  CHECK(facts.spacing == Spacing::trailing);
  CHECK(facts.beta_curve == BetaCurve::linear);
  CHECK(facts.beta_end == 0.02);
  schedule(folder, R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": true})");
  CHECK(scheduler_facts(folder.path())->flow_shift.dynamic);
  CHECK(scheduler_facts(folder.path())->flow_shift.max_shift == 1.15);
  schedule(folder, R"({"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3})");
  CHECK(scheduler_facts(folder.path())->flow_shift.shift == 3);
}

TEST_CASE("processes that lapis has not are refused") {
  const TemporaryFolder folder;
  for (const char* document : {R"({"prediction_type": "sample"})", R"({"trained_betas": [0.1]})",
                               R"({"rescale_betas_zero_snr": true})", R"({"beta_schedule": "squaredcos_cap_v2"})"}) {
    schedule(folder, document);
    CHECK_THROWS_AS(scheduler_facts(folder.path()), Error);
  }
}
