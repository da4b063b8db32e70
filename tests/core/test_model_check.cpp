#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>

#include "../sample_model.hpp"
#include "core/family/families.hpp"
#include "core/job/job_fields.hpp"
#include "core/model/model_check.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

std::string refusal(const Model& model) {
  try {
    check_model(model);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

struct Break {
  const char* what;
  std::function<void(Model&)> change;
  const char* text;
};

const std::array<Break, 24> breaks = {{
    {"family", [](Model& m) { m.family = "sd51"; }, "unknown family \"sd51\""},
    {"close family", [](Model& m) { m.family = "sd1"; }, "Did you mean \"sd15\"?"},
    {"scale", [](Model& m) { m.space.scale = 0.13025; },
     "space is sd15 (4 ch, 1/8, scale 0.13025, lineage sample); family sd15 has sd15 (4 ch, 1/8, scale 0.18215, "
     "lineage "
     "sample).\nThese are the numbers of \"sdxl\": take a VAE of sd15, or name the family that this VAE belongs to"},
    {"scale of nobody", [](Model& m) { m.space.scale = 0.2; }, "No space that lapis knows has these numbers"},
    {"space name", [](Model& m) { m.space.id = "sdxl"; }, "The numbers are right: name the space sd15"},
    {"lineage", [](Model& m) { m.space.lineage = ""; }, "lineage is empty"},
    {"part missing", [](Model& m) { m.parts.erase("denoiser"); }, "part \"denoiser\" is missing"},
    {"part unknown", [](Model& m) { m.parts["vae_decode"]; }, "Did you mean \"vae_decoder\"?"},
    {"port name", [](Model& m) { m.parts["denoiser"].inputs[2].name = "text"; },
     "found sample model [batch, 4, height"},
    {"port dtype", [](Model& m) { m.parts["denoiser"].inputs[1].dtype = "i64"; }, "timestep i64 [batch]"},
    {"port rank", [](Model& m) { m.parts["denoiser"].outputs[0].shape.pop_back(); }, "parts/denoiser/outputs"},
    {"inpainting channels", [](Model& m) { m.parts["denoiser"].inputs[0].shape[1] = 9; }, "sample model [batch, 9"},
    {"free channels", [](Model& m) { m.parts["denoiser"].inputs[0].shape[1] = "channels"; }, "[batch, channels"},
    {"ports missing", [](Model& m) { m.parts["text_encoder"].outputs.clear(); }, "found none"},
    {"widths",
     [](Model& m) {
       m.parts["text_encoder"].outputs[1].shape[3] = 1024;
       m.parts["denoiser"].inputs[2].shape[2] = 768;
     },
     "normed of text_encoder is 1024 wide, context of denoiser is 768;"},
    {"tokenizer", [](Model& m) { m.tokenizers.clear(); }, "tokenizer \"tokenizer\" is missing"},
    {"tokenizer unknown", [](Model& m) { m.tokenizers["tokenizer_2"]; }, "unknown tokenizer \"tokenizer_2\""},
    {"tokenizer length", [](Model& m) { m.tokenizers["tokenizer"].length = 2; }, "length is 2; expected 3 to 4096"},
    {"betas", [](Model& m) { m.sampling.beta_start = std::nan(""); }, "beta_start is nan"},
    {"offset", [](Model& m) { m.sampling.steps_offset = 1000; }, "steps_offset is 1000; expected 0 to 999"},
    {"default size", [](Model& m) { m.defaults.width = 100; }, "defaults: width is 100; expected a multiple of 8"},
    {"default steps", [](Model& m) { m.sampling.train_steps = 10; }, "steps is 20; expected 1 to 10"},
    {"default schedule", [](Model& m) { m.defaults.schedule = "karas"; }, "defaults: schedule is \"karas\""},
    {"default sampler", [](Model& m) { m.defaults.sampler = "eular"; }, "defaults: sampler is \"eular\""},
}};

const std::array<Break, 5> sdxl_breaks = {{
    {"sum of widths",
     [](Model& m) {
       m.parts["text_encoder"].outputs[0].shape[3] = 768;
       m.parts["text_encoder_2"].outputs[0].shape[3] = 1280;
       m.parts["denoiser"].inputs[2].shape[2] = 1280;
     },
     "states of text_encoder is 768 wide and states of text_encoder_2 is 1280 wide, context of denoiser is 1280;"},
    {"pooled width",
     [](Model& m) {
       m.parts["text_encoder_2"].outputs[2].shape[1] = 1280;
       m.parts["denoiser"].inputs[3].shape[1] = 768;
     },
     "pooled of denoiser is 768;"},
    {"time ids", [](Model& m) { m.parts["denoiser"].inputs[4].shape[1] = 5; }, "time_ids f32 [batch, 5]"},
    {"second tokenizer", [](Model& m) { m.tokenizers.erase("tokenizer_2"); }, "tokenizer \"tokenizer_2\" is missing"},
    {"rope axes",
     [](Model& m) {
       m.conditioning.rope_axes = {2, 2, 2};
     },
     "family sdxl has no rope_axes"},
}};

const std::array<Break, 12> flux_breaks = {{
    {"prediction", [](Model& m) { m.sampling.prediction = Prediction::v; },
     "prediction is \"v\"; family flux has \"flow\""},
    {"axes missing", [](Model& m) { m.conditioning.rope_axes.clear(); }, "rope_axes is []; family flux needs three"},
    {"odd axis",
     [](Model& m) {
       m.conditioning.rope_axes = {16, 55, 57};
     },
     "rope_axes is [16, 55, 57]"},
    {"axes and head",
     [](Model& m) {
       m.parts["denoiser"].inputs[4].shape[1] = 64;
       m.parts["denoiser"].inputs[5].shape[1] = 64;
     },
     "[16, 56, 56] add up to 128; rope_cos of the denoiser is 64 wide"},
    {"two tables",
     [](Model& m) {
       m.parts["denoiser"].inputs[4].shape[1] = 128;
       m.parts["denoiser"].inputs[5].shape[1] = 64;
     },
     "rope_sin of denoiser is 64;"},
    {"zeros", [](Model& m) { m.conditioning.zero_empty_negative = true; }, "family flux has no zero_empty_negative"},
    {"kind", [](Model& m) { m.tokenizers["tokenizer_2"].kind = TokenizerKind::clip; },
     "tokenizers/tokenizer_2: kind is \"clip\"; family flux has \"t5\" there"},
    {"shift", [](Model& m) { m.sampling.flow_shift.shift = 0; }, "shift is 0; expected 0.01 to 100"},
    {"dynamic shift",
     [](Model& m) {
       m.sampling.flow_shift.dynamic = true;
       m.sampling.flow_shift.base_shift = std::nan("");
     },
     "a shift is nan"},
    {"token range",
     [](Model& m) {
       m.sampling.flow_shift.dynamic = true;
       m.sampling.flow_shift.max_tokens = 256;
     },
     "base_tokens is 256 and max_tokens is 256"},
    {"size", [](Model& m) { m.defaults.width = 136; }, "width is 136; expected a multiple of 16: 128 or 144"},
    {"ports", [](Model& m) { m.parts["denoiser"].inputs[6].name = "strength"; },
     "and perhaps guidance f32 [batch]; found"},
}};

template <typename Breaks>
void check_refused(const std::string& family, const Breaks& all) {
  CHECK(refusal(test::sample_model(family)).empty());
  for (const Break& broken : all) {
    INFO(broken.what);
    Model model = test::sample_model(family);
    broken.change(model);
    const std::string text = refusal(model);
    CHECK_THAT(text, Catch::StartsWith("models/sample/model.json: "));
    CHECK_THAT(text, Catch::Contains(broken.text));
  }
}

}  // namespace

TEST_CASE("a model that agrees with its family's row passes") {
  Model model = test::sample_model();
  CHECK(refusal(model).empty());
  model.parts.erase("vae_encoder");
  CHECK(refusal(model).empty());
  model.parts["text_encoder"].outputs[0].shape[2] = 768;
  model.parts["denoiser"].inputs[2].shape[2] = 768;
  CHECK(refusal(model).empty());
  model.sampling.prediction = Prediction::v;
  CHECK(refusal(model).empty());
}

TEST_CASE("every disagreement is refused with both sides named") {
  check_refused("sd15", breaks);
  check_refused("sdxl", sdxl_breaks);
  check_refused("flux", flux_breaks);
}

TEST_CASE("a sample of every family passes, with guidance input and without") {
  for (const FamilyRow& row : families()) CHECK(refusal(test::sample_model(row.name)).empty());
  CHECK(refusal(test::schnell_model()).empty());
  Model zeros = test::sample_model("sdxl");
  zeros.conditioning.zero_empty_negative = true;
  CHECK(refusal(zeros).empty());
}

TEST_CASE("a timestep may be one number for the whole batch, and nothing else may") {
  Model model = test::sample_model();
  model.parts["denoiser"].inputs[1].shape.clear();
  CHECK(refusal(model).empty());
  model.parts["denoiser"].inputs[0].shape.clear();
  CHECK_FALSE(refusal(model).empty());
}

TEST_CASE("a text encoder may give back its last layer alone where its family reads no other") {
  const Port last = {"last", "model", {"batch", "tokens", std::int64_t{768}}};
  const Port pooled = {"pooled", "model", {"batch", "pooled_width"}};
  Model model = test::sample_model();
  for (const std::vector<Port>& outputs : {std::vector{last}, std::vector{last, pooled}}) {
    model.parts["text_encoder"].outputs = outputs;
    CHECK(refusal(model).empty());
  }
  model.parts["denoiser"].inputs[2].shape[2] = std::int64_t{1024};
  CHECK_THAT(refusal(model), Catch::Contains("last of text_encoder is 768 wide"));
  model.parts["text_encoder"].outputs = {pooled};
  CHECK_FALSE(refusal(model).empty());
  Model xl = test::sample_model("sdxl");
  xl.parts["text_encoder"].outputs = {last, pooled};
  CHECK_FALSE(refusal(xl).empty());
}

TEST_CASE("a text encoder that gives back its last layer alone has one layer to choose") {
  Model model = test::sample_model();
  model.parts["text_encoder"].outputs = {{"last", "model", {"batch", "tokens", std::int64_t{768}}}};
  Job job;
  job.prompt = "a lake";
  CHECK(resolve(job, model, 0).clip_skip == 1);
  job.clip_skip = 2;
  CHECK_THROWS_WITH(resolve(job, model, 0), Catch::Contains("has 1 layer"));
}
