#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>

#include "core/model_check.hpp"
#include "lapis/error.hpp"
#include "sample_model.hpp"

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

const std::array<Break, 23> breaks = {{
    {"family", [](Model& m) { m.family = "sd51"; }, "unknown family \"sd51\""},
    {"close family", [](Model& m) { m.family = "sd1"; }, "Did you mean \"sd15\"?"},
    {"scale", [](Model& m) { m.space.scale = 0.13025; },
     "space is sd15 (4 channels, downscale 8, scale 0.13025, shift 0); family sd15 has sd15 (4 channels, downscale 8, "
     "scale 0.18215, shift 0)"},
    {"space name", [](Model& m) { m.space.id = "sdxl"; }, "space is sdxl"},
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
       m.parts["text_encoder"].outputs[0].shape[2] = 1024;
       m.parts["denoiser"].inputs[2].shape[2] = 768;
     },
     "last is 1024 wide, context is 768"},
    {"tokenizer", [](Model& m) { m.tokenizers.clear(); }, "tokenizer \"tokenizer\" is missing"},
    {"tokenizer unknown", [](Model& m) { m.tokenizers["tokenizer_2"]; }, "unknown tokenizer \"tokenizer_2\""},
    {"tokenizer length", [](Model& m) { m.tokenizers["tokenizer"].length = 2; }, "length is 2; expected 3 to 4096"},
    {"betas", [](Model& m) { m.sampling.beta_start = std::nan(""); }, "beta_start is nan"},
    {"offset", [](Model& m) { m.sampling.steps_offset = 1000; }, "steps_offset is 1000; expected 0 to 999"},
    {"default size", [](Model& m) { m.defaults.width = 100; }, "defaults: width is 100; expected a multiple of 8"},
    {"default steps", [](Model& m) { m.sampling.train_steps = 10; }, "steps is 20; expected 1 to 10"},
    {"default schedule", [](Model& m) { m.defaults.schedule = "karas"; }, "defaults: unknown schedule \"karas\""},
    {"default sampler", [](Model& m) { m.defaults.sampler = "eular"; }, "defaults: unknown sampler \"eular\""},
}};

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
  for (const Break& broken : breaks) {
    INFO(broken.what);
    Model model = test::sample_model();
    broken.change(model);
    const std::string text = refusal(model);
    CHECK_THAT(text, Catch::StartsWith("models/sample/model.json: "));
    CHECK_THAT(text, Catch::Contains(broken.text));
  }
}
