#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <array>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <utility>

#include "engine/adapter.hpp"
#include "engine/adapters/flux.hpp"
#include "engine/adapters/sdxl.hpp"
#include "io/model/model_folder.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const Model& mini(const char* name) {
  static const Model sdxl = io::read_model(data("mini_sdxl"));
  static const Model flux = io::read_model(data("mini_flux"));
  return std::string_view(name) == "sdxl" ? sdxl : flux;
}

Tokens chunk(std::vector<std::int64_t> ids) {
  std::vector<float> weights(ids.size(), 1.0F);
  return {{std::move(ids), std::move(weights)}};
}

/// A job of 96 x 64 pixels; no id stands for two things.
RenderRequest sample_request(double guidance) {
  RenderRequest request;
  request.job.width = 96;
  request.job.height = 64;
  request.job.guidance = guidance;
  request.prompt = {{"tokenizer", chunk({1, 2, 3})}, {"tokenizer_2", chunk({7, 8, 9})}};
  request.negative = {{"tokenizer", chunk({4, 5, 6})}, {"tokenizer_2", chunk({10, 11, 12})}};
  return request;
}

RenderRequest sdxl_request(double guidance) {
  RenderRequest request = sample_request(guidance);
  request.job.clip_skip = 2;
  request.job.original_size = {1024, 768};
  request.job.crop = {8, 16};
  return request;
}

RenderRequest flux_request(double true_guidance) {
  RenderRequest request = sample_request(3.5);
  request.job.true_guidance = true_guidance;
  return request;
}

std::vector<at::Tensor> conditioning(const Model& model, const RenderRequest& request) {
  const c10::InferenceMode inference;
  Parts parts(model, {});
  return conditioning(parts, request);
}

std::vector<at::Tensor> conditioning(const char* name, const RenderRequest& request) {
  return conditioning(mini(name), request);
}

double at3(const at::Tensor& values, std::int64_t a, std::int64_t b, std::int64_t c) {
  return values[a][b][c].item<double>();
}

std::vector<float> numbers(const at::Tensor& values) {
  const at::Tensor plain = values.contiguous();
  return {plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel()};
}

}  // namespace

TEST_CASE("SDXL's context is the state before the last layer of both encoders, side by side") {
  const std::vector<at::Tensor> inputs = conditioning("sdxl", sdxl_request(1));
  REQUIRE(inputs.size() == 3);
  REQUIRE(inputs[0].sizes() == at::IntArrayRef({1, 3, 4 + 6}));
  for (const auto& [token, id, id_2] : {std::array<int, 3>{0, 1, 7}, {2, 3, 9}}) {
    // Layer 1 of 0, 1, 2; raw, so positive.
    CHECK(at3(inputs[0], 0, token, 3) == Approx(1 + id / 1000.0 + 0.03));
    CHECK(at3(inputs[0], 0, token, 4) == Approx(1 + id_2 / 1000.0));
    CHECK(at3(inputs[0], 0, token, 9) == Approx(1 + id_2 / 1000.0 + 0.05));
  }
  REQUIRE(inputs[1].sizes() == at::IntArrayRef({1, 5}));
  CHECK(inputs[1][0][1].item<double>() == Approx(10 + 8 / 1000.0 + 0.01));  // of the second encoder
}

TEST_CASE("SDXL is told original height and width, crop from top and left, height and width") {
  const std::vector<at::Tensor> inputs = conditioning("sdxl", sdxl_request(3));
  REQUIRE(inputs[2].sizes() == at::IntArrayRef({2, 6}));
  const std::vector<float> expected = {768, 1024, 16, 8, 64, 96};
  CHECK(numbers(inputs[2][0]) == expected);
  CHECK(numbers(inputs[2][1]) == expected);
}

TEST_CASE("SDXL's empty negative prompt is zeros where the model says so, and only there") {
  RenderRequest request = sdxl_request(3);
  const std::vector<at::Tensor> zeroed = conditioning("sdxl", request);
  REQUIRE(zeroed[0].sizes() == at::IntArrayRef({2, 3, 10}));
  CHECK(zeroed[0][0].abs().max().item<float>() == 0);
  CHECK(zeroed[1][0].abs().max().item<float>() == 0);
  CHECK(at3(zeroed[0], 1, 0, 0) == Approx(1 + 1 / 1000.0));
  CHECK(zeroed[1][1][0].item<double>() == Approx(10 + 8 / 1000.0));

  request.job.negative_prompt = "fog";
  const std::vector<at::Tensor> said = conditioning("sdxl", request);
  CHECK(at3(said[0], 0, 0, 0) == Approx(1 + 4 / 1000.0));
  CHECK(said[1][0][0].item<double>() == Approx(10 + 11 / 1000.0));

  request.job.negative_prompt = "";
  Model model = mini("sdxl");
  model.conditioning.zero_empty_negative = false;
  const std::vector<at::Tensor> encoded = conditioning(model, request);
  CHECK(at3(encoded[0], 0, 0, 0) == Approx(1 + 4 / 1000.0));
}

TEST_CASE("Flux reads T5's states, CLIP's pooled vector, tables and guidance") {
  const std::vector<at::Tensor> inputs = conditioning("flux", flux_request(1));
  REQUIRE(inputs.size() == 5);
  REQUIRE(inputs[0].sizes() == at::IntArrayRef({1, 3, 6}));
  CHECK(at3(inputs[0], 0, 1, 2) == Approx(20 + 8 / 1000.0 + 0.02));
  REQUIRE(inputs[1].sizes() == at::IntArrayRef({1, 4}));
  CHECK(inputs[1][0][0].item<double>() == Approx(10 + 2 / 1000.0));
  CHECK(inputs[2].sizes() == at::IntArrayRef({3 + 4 * 6, 16}));
  CHECK(numbers(inputs[4]) == std::vector<float>{3.5F});
}

TEST_CASE("with a second pass, Flux has two rows of all that has rows, the negative first") {
  const std::vector<at::Tensor> inputs = conditioning("flux", flux_request(4));
  CHECK(at3(inputs[0], 0, 0, 0) == Approx(20 + 10 / 1000.0));
  CHECK(at3(inputs[0], 1, 0, 0) == Approx(20 + 7 / 1000.0));
  CHECK(inputs[1].sizes() == at::IntArrayRef({2, 4}));
  CHECK(inputs[2].sizes() == at::IntArrayRef({27, 16}));
  CHECK(numbers(inputs[4]) == std::vector<float>{3.5F, 3.5F});
}

TEST_CASE("prompts that come again are not encoded again, and their encodings stay as they are") {
  const c10::InferenceMode inference;
  RenderRequest zeroed = sdxl_request(3);
  RenderRequest said = zeroed;  // in other words, of the same tokens here
  said.job.negative_prompt = "fog";
  for (const auto& [name, requests] : {std::pair("sdxl", std::vector{zeroed, said, zeroed}),
                                       std::pair("flux", std::vector{flux_request(4), flux_request(4)})}) {
    CAPTURE(name);
    Parts parts(mini(name), {});
    std::array<double, part_kinds.size()> once{};
    for (const RenderRequest& request : requests) {
      const std::vector<at::Tensor> inputs = conditioning(parts, request);
      const std::vector<at::Tensor> expected = conditioning(name, request);
      REQUIRE(inputs.size() == expected.size());
      for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(inputs[i].equal(expected[i]));
      if (&request == &requests.front()) {
        parts.release(PartStage::prompt);
        once = parts.module_seconds().parts;
        CHECK(once[index_of(PartKind::text_encoder_2)] > 0);
        parts.take_load_seconds();
      }
    }
    CHECK(parts.module_seconds().parts == once);
    CHECK(parts.take_load_seconds() == 0);
  }
}

TEST_CASE("a schnell model is given no guidance") {
  Model model = mini("flux");
  model.parts["denoiser"].inputs.pop_back();
  CHECK(conditioning(model, flux_request(1)).size() == 4);
}

TEST_CASE("rope tables are those of FluxPosEmbed") {
  // FluxPosEmbed(10000, [4, 6, 6]) of diffusers 0.42.1: ids of 2 text tokens, then rows 0 to 2 of 4 columns. Token 2 +
  // 2 * 4 + 3 stands at (0, 2, 3).
  const RopeTables tables = rope_tables({4, 6, 6}, 2, 3, 4);
  REQUIRE(tables.cos.sizes() == at::IntArrayRef({14, 16}));
  const std::vector<float> cos = {1,
                                  1,
                                  1,
                                  1,
                                  -0.416146845F,
                                  -0.416146845F,
                                  0.99569422F,
                                  0.99569422F,
                                  0.999990702F,
                                  0.999990702F,
                                  -0.989992499F,
                                  -0.989992499F,
                                  0.990320683F,
                                  0.990320683F,
                                  0.999979138F,
                                  0.999979138F};
  const std::vector<float> sin = {0,
                                  0,
                                  0,
                                  0,
                                  0.909297407F,
                                  0.909297407F,
                                  0.0926984996F,
                                  0.0926984996F,
                                  0.00430885609F,
                                  0.00430885609F,
                                  0.141120002F,
                                  0.141120002F,
                                  0.138798103F,
                                  0.138798103F,
                                  0.00646325899F,
                                  0.00646325899F};
  const std::vector<float> found_cos = numbers(tables.cos[13]);
  const std::vector<float> found_sin = numbers(tables.sin[13]);
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(found_cos[i] == Approx(cos[i]).epsilon(1e-6));
    CHECK(found_sin[i] == Approx(sin[i]).epsilon(1e-6));
  }
  CHECK(tables.cos[1].equal(at::ones({16}, at::kFloat)));
  CHECK(tables.sin[1].equal(at::zeros({16}, at::kFloat)));
  CHECK(tables.cos[2].equal(tables.cos[1]));        // the first cell of the picture
  CHECK_FALSE(tables.cos[3].equal(tables.cos[2]));  // the next column
  CHECK_FALSE(tables.cos[6].equal(tables.cos[3]));  // a row is not a column
}
