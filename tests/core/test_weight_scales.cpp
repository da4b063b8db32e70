#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/weight_scales.hpp"

using namespace lapis::core;

namespace {

using Shape = std::vector<std::int64_t>;
using Tensors = std::vector<StoredTensor>;

/// A weight in fp8 and one scale of it.
Tensors scaled(const Shape& weight, const std::string& scale, const Shape& shape, const std::string& dtype = "F32") {
  return {{"a.weight", "F8_E4M3", weight}, {"a." + scale, dtype, shape}};
}

/// What is wrong with a checkpoint; "" where nothing is.
std::string fault_of(const Tensors& tensors, const std::vector<LayerNote>& notes = {}) {
  const WeightScales scales = find_weight_scales(tensors, notes);
  return scales.faults.empty() ? "" : scales.faults.front().what;
}

}  // namespace

TEST_CASE("a scale lies over its weight by tensor, row or block, whatever program wrote it") {
  struct Form {
    Shape weight;
    std::string scale;
    Shape shape;
    Shape grid;  ///< rows and columns of the grid, and of a block
  };
  const std::vector<Form> forms = {
      {{320, 128}, "scale_weight", {}, {1, 1, 320, 128}},
      {{320, 128}, "weight_scale", {1}, {1, 1, 320, 128}},
      {{320, 128}, "weight_scale_inv", {1, 1}, {1, 1, 320, 128}},
      {{320, 128}, "weight_scale", {320}, {320, 1, 1, 128}},
      {{320, 128}, "weight_scale", {320, 1}, {320, 1, 1, 128}},
      {{320, 320}, "weight_scale", {320}, {320, 1, 1, 320}},
      {{320, 128}, "weight_scale", {1, 128}, {1, 128, 320, 1}},
      {{8, 4, 3, 3}, "weight_scale", {8, 1, 1, 1}, {8, 1, 1, 36}},
      {{8, 4, 3, 3}, "weight_scale", {1, 1, 1, 1}, {1, 1, 8, 36}},
      {{8}, "weight_scale", {8}, {8, 1, 1, 1}},
      {{3072, 768}, "weight_scale_inv", {24, 6}, {24, 6, 128, 128}},
      {{320, 200}, "weight_scale_inv", {3, 2}, {3, 2, 128, 128}},
      {{192, 192}, "weight_scale_inv", {2, 2}, {2, 2, 128, 128}},
      {{320, 200}, "weight_scale", {3, 2}, {3, 2, 128, 128}},
      {{320, 128}, "weight_scale", {5, 2}, {5, 2, 64, 64}},
      {{320, 128}, "weight_scale", {4, 4}, {4, 4, 80, 32}},
      {{320, 128}, "scale_weight", {320, 2, 1}, {320, 2, 1, 64}},
      {{320, 128}, "weight_scale", {3, 1}, {3, 1, 128, 128}},
      {{192, 128}, "weight_scale", {2, 1}, {2, 1, 128, 128}},
  };
  for (const Form& format : forms) {
    CAPTURE(format.weight, format.scale, format.shape);
    const WeightScales found = find_weight_scales(scaled(format.weight, format.scale, format.shape), {});
    CHECK(found.faults.empty());
    REQUIRE(found.weights.contains("a.weight"));
    const WeightScale& scale = found.weights.at("a.weight");
    CHECK(scale.scale == "a." + format.scale);
    CHECK(Shape{scale.rows, scale.columns, scale.block_rows, scale.block_columns} == format.grid);
    CHECK(found.notes.size() == 1);
  }
}

TEST_CASE("a shape that lies over a weight in no way, or in several, is refused") {
  const std::vector<std::pair<Shape, Shape>> cases = {
      {{320, 128}, {128}},
      {{320, 128}, {321}},
      {{320, 128}, {321, 1}},
      {{320, 128}, {2}},
      {{320, 128}, {7, 128}},
      {{320, 128}, {5, 2, 2}},
      {{320, 128}, {0}},
      {{192, 96}, {2, 1}},
      {{192, 192}, {1, 2}},
      {{8, 4, 3, 3}, {8, 4}},
      {{8, 4, 3, 3}, {2, 2}},
      {{8, 4, 3, 3}, {1, 4, 1, 1}},
      {{8}, {2}},
      {{320, 128}, {640, 64}},
  };
  for (const auto& [weight, scale] : cases) {
    CAPTURE(weight, scale);
    CHECK_THAT(fault_of(scaled(weight, "weight_scale", scale)), Catch::Contains("does not lie over"));
  }
}

TEST_CASE("a note says how large blocks are, and what contradicts it is refused") {
  const auto noted = [](const Shape& shape, std::int64_t block) {
    return fault_of(scaled({192, 96}, "weight_scale", shape), {{"a", "float8_e4m3fn_blockwise", block, ""}});
  };
  CHECK(noted({2, 1}, 96).empty());
  CHECK(noted({2, 1}, 128).empty());
  CHECK(noted({3, 2}, 64).empty());
  CHECK_THAT(noted({3, 2}, 32), Catch::Contains("no grid of blocks of 32"));
  CHECK_THAT(noted({2, 1}, 0), Catch::Contains("does not lie over"));
}

TEST_CASE("scales are found for every way to name a weight") {
  const std::vector<std::pair<std::string, std::string>> names = {
      {"double_blocks.0.img_attn.qkv.weight", "double_blocks.0.img_attn.qkv.scale_weight"},
      {"attn.in_proj_weight", "attn.in_proj_weight_scale"},
      {"attn.in_proj_weight", "attn.in_proj_scale_weight"},
      {"attn.in_proj_weight", "attn.in_proj_weight_scale_inv"},
      {"text_projection", "text_projection.scale_weight"},
      {"model.text_projection", "model.text_projection_scale"},
      {"text_projection.weight", "text_projection.weight_scale"},
  };
  for (const auto& [weight, scale] : names) {
    CAPTURE(weight, scale);
    const WeightScales found = find_weight_scales(Tensors{{weight, "F8_E4M3", {8, 8}}, {scale, "F32", {}}}, {});
    CHECK(found.faults.empty());
    REQUIRE(found.weights.contains(weight));
    CHECK(found.weights.at(weight).scale == scale);
    CHECK(is_weight_note(scale));
    CHECK_FALSE(is_weight_note(weight));
  }
  for (const char* name :
       {"logit_scale", "norm.query_norm.scale", "alphas_cumprod", "a.weight", "a.bias", "unscaled_fp8"}) {
    CAPTURE(name);
    CHECK_FALSE(is_weight_note(name));
  }
}

TEST_CASE("what is of quantized activations changes no weight, and is understood") {
  for (const char* name : {"a.input_scale", "a.scale_input", "a.input_scale_ub", "a.activation_scale"}) {
    CAPTURE(name);
    Tensors tensors = scaled({8, 8}, "weight_scale", {});
    const WeightScales without = find_weight_scales(tensors, {});
    tensors.push_back({name, "F32", {}});
    const WeightScales with = find_weight_scales(tensors, {});
    CHECK(with.faults.empty());
    CHECK(with.weights == without.weights);
    CHECK(with.notes.contains(name));
  }
}

TEST_CASE("a scheme that lapis does not compute is called by its name") {
  const auto beside = [](const std::string& name, const std::string& dtype = "F32") {
    Tensors tensors = scaled({8, 8}, "weight_scale", {});
    tensors.push_back({name, dtype, {8}});
    return fault_of(tensors);
  };
  CHECK_THAT(beside("a.weight_scale_2"), Catch::Contains("nvfp4"));
  CHECK_THAT(beside("a.weight_scalar"), Catch::Contains("mxfp8"));
  CHECK_THAT(beside("a.pre_quant_scale"), Catch::Contains("AWQ"));
  CHECK_THAT(beside("a.weight_zero_point"), Catch::Contains("zero points"));
  CHECK_THAT(beside("b.wscales"), Catch::Contains("SVDQuant"));
  CHECK_THAT(beside("b.weight._data"), Catch::Contains("optimum-quanto"));
  CHECK_THAT(beside("b.weight_packed", "I32"), Catch::Contains("compressed-tensors"));
  CHECK_THAT(beside("b.SCB"), Catch::Contains("bitsandbytes"));
  for (const char* dtype : {"U8", "F8_E8M0", "F8_E4M3", "I32"}) {
    CHECK_THAT(fault_of(scaled({8, 64}, "weight_scale", {8, 2}, dtype)), Catch::Contains(std::string("is ") + dtype));
  }
  for (const char* format : {"nvfp4", "mxfp8", "hybrid_mxfp8", "convrot_w4a4", "asym_w4a8_int8", "awq_w4a16", "bnb_nf4",
                             "float8_e4m3fn_other", ""}) {
    CHECK_THAT(fault_of(scaled({8, 8}, "weight_scale", {}), {{"a", format, 0, ""}}),
               Catch::Contains("is quantized as " + std::string(format)));
  }
  CHECK_THAT(fault_of(scaled({8, 8}, "weight_scale", {}), {{"a", "float8_e4m3fn", 0, "convrot"}}),
             Catch::Contains("with convrot"));
}

TEST_CASE("integers are scaled where a note says that they are, and nowhere else") {
  const Tensors tensors = {{"a.weight", "I8", {8, 8}}, {"a.weight_scale", "F32", {8, 1}}};
  CHECK_THAT(fault_of(tensors), Catch::Contains("a.weight is I8 with a scale"));
  const WeightScales found = find_weight_scales(tensors, std::vector<LayerNote>{{"a", "int8_tensorwise", 0, ""}});
  CHECK(found.faults.empty());
  CHECK(found.weights.at("a.weight").integers);
  CHECK_THAT(fault_of(tensors, {{"a", "float8_e4m3fn", 0, ""}}),
             Catch::Contains("is I8, and is said to be float8_e4m3fn"));
  CHECK_THAT(fault_of({{"a.weight", "U8", {8, 8}}, {"a.weight_scale", "F32", {8, 1}}}), Catch::Contains("is U8"));
}

TEST_CASE("what is half there is refused: a scale, a weight, a marker, a note or a factor alone") {
  const StoredTensor weight{"a.0.weight", "F8_E4M3", {8, 8}};
  const StoredTensor scale{"a.0.scale_weight", "F32", {}};
  const StoredTensor marker{"scaled_fp8", "F8_E4M3", {2}};
  CHECK(fault_of({weight, scale, marker}).empty());
  CHECK(fault_of({weight}).empty());  // fp8 without scales, as a cast makes it
  CHECK_THAT(fault_of({scale}), Catch::Contains("a.0.scale_weight scales a weight that is not there"));
  CHECK_THAT(fault_of({weight, marker}), Catch::Contains("scaled_fp8 says that weights have scales, and none has"));
  CHECK_THAT(fault_of({weight, scale, {"b.scaled_fp8", "F8_E4M3", {0}}}), Catch::Contains("b.scaled_fp8"));
  CHECK_THAT(fault_of({weight, scale, {"a.1.weight", "F8_E4M3", {8, 8}}}),
             Catch::Contains("a.1.weight is in fp8, and its scale is not there"));
  CHECK(fault_of({weight, scale, {"a.1.weight", "F16", {8, 8}}}).empty());
  CHECK(fault_of({weight, scale, {"shared.weight", "F8_E4M3", {8, 8}}}).empty());
  CHECK_THAT(fault_of({weight, scale, {"a.0.weight_scale", "F32", {}}}), Catch::Contains("has two scales"));
  CHECK_THAT(fault_of({weight}, {{"a.0", "float8_e4m3fn", 0, ""}}), Catch::Contains("its scale is not there"));
  CHECK_THAT(fault_of({weight, scale}, {{"a.1", "float8_e4m3fn", 0, ""}}), Catch::Contains("has no weight of it"));
  CHECK_THAT(fault_of({weight, scale}, {{"a.0", "float8_e5m2", 0, ""}}), Catch::Contains("said to be float8_e5m2"));
  CHECK_THAT(fault_of({weight, {"a.0.scale_weight_tensor", "F32", {}}}), Catch::Contains("multiplies scales"));
  CHECK_THAT(fault_of({weight, scale, {"a.0.scale_weight_tensor", "F32", {8}}}),
             Catch::Contains("expected one number"));
}

TEST_CASE("a header may call layers without what stands before them in the file") {
  const Tensors tensors = {{"model.diffusion_model.a.weight", "F8_E4M3", {8, 8}},
                           {"model.diffusion_model.a.weight_scale", "F32", {}}};
  CHECK(fault_of(tensors, {{"a", "float8_e4m3fn", 0, ""}}).empty());
  CHECK_THAT(fault_of(tensors, {{"a", "nvfp4", 0, ""}}), Catch::Contains("model.diffusion_model.a.weight"));
}

TEST_CASE("notes are told by their layer") {
  CHECK(noted_layer("double_blocks.0.img_mlp.0.comfy_quant") == "double_blocks.0.img_mlp.0");
  CHECK(noted_layer("a.weight_scale").empty());
}

TEST_CASE("methods of quantization are known by their scales") {
  CHECK(has_scales("fp8"));
  CHECK(has_scales("compressed-tensors"));
  for (const char* other : {"bitsandbytes", "torchao", "quanto", "gguf", "gptq", "fp", ""})
    CHECK_FALSE(has_scales(other));
}
