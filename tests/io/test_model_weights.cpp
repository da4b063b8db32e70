#include <catch2/catch.hpp>
#include <cstddef>
#include <vector>

#include "io/model_weights.hpp"
#include "io/safetensors.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

TEST_CASE("weights are counted once, whatever parts share their file, and behind prefixes alone") {
  const TemporaryFolder folder;
  const std::vector<std::byte> numbers(24);
  const std::span<const std::byte> all(numbers);
  Safetensors content;
  content.tensors = {{"model.a", {Dtype::f16, {3, 4}, all}},
                     {"vae.a", {Dtype::f32, {6}, all}},
                     {"model_ema.a", {Dtype::f64, {3}, all}}};
  write_safetensors(folder / "whole.safetensors", content, false);
  content.tensors = {{"t", {Dtype::f8_e4m3, {8}, all.first(8)}}};
  write_safetensors(folder / "text.safetensors", content, false);
  Model model;
  model.parts["denoiser"] = {.graph = {}, .weights = {folder / "whole.safetensors"}, .inputs = {}, .outputs = {}};
  model.parts["denoiser"].prefix = "model.";
  model.parts["vae_decoder"] = model.parts["vae_encoder"] = model.parts["denoiser"];
  model.parts["vae_decoder"].prefix = model.parts["vae_encoder"].prefix = "vae.";
  model.parts["text_encoder"].weights = {folder / "text.safetensors"};
  const WeightFacts facts = weight_facts(model);
  CHECK(facts.dtypes == "F16 and F32 and F8_E4M3");
  CHECK(facts.bytes == 24 + 24 + 8);
  CHECK(facts.widened == 12 * 4 + 8 * 4);
  model.parts.clear();
  model.parts["denoiser"];
  CHECK(weight_facts(model).dtypes == "in the graphs");
}
