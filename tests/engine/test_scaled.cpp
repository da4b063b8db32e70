#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "engine/scaled.hpp"
#include "engine/weights.hpp"
#include "io/file/safetensors.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const io::SafetensorsFile& scaled_content() {
  static const io::SafetensorsFile file(data("scaled.safetensors"), ErrorKind::input);
  return file;
}

std::filesystem::path temporary(const char* name) { return std::filesystem::temp_directory_path() / name; }

/// The weight "layer.weight" of a checkpoint, as a part binds it.
at::Tensor bound(const std::filesystem::path& file, const std::vector<std::int64_t>& shape, Placement placement,
                 const std::vector<Delta>& deltas = {}) {
  Part part;
  part.weights = {file};
  const Weights weights(part, "part");
  return weights.bound(std::vector<core::TensorShape>{{"layer.weight", shape}}, placement, {{}, deltas})
      .front()
      .clone();
}

/// The tensors of a case, or those of them that `kept` wants, as a file of their own.
template <class Kept>
std::filesystem::path checkpoint(const std::string& name, const Kept& kept) {
  io::Safetensors file;
  for (const auto& [key, view] : scaled_content().tensors()) {
    if (key.starts_with(name + "/") && kept(key.substr(name.size() + 1))) {
      file.tensors[key.substr(name.size() + 1)] = view;
    }
  }
  const auto notes = scaled_content().metadata().find(name);
  const bool all = kept("layer.weight_scale") && kept("layer.scale_weight");
  if (all && notes != scaled_content().metadata().end()) file.metadata["_quantization_metadata"] = notes->second;
  const std::filesystem::path path = temporary("lapis-scaled.safetensors");
  io::write_safetensors(path, file, true);
  return path;
}

at::Tensor twin(const std::string& name) {
  const io::TensorView& view = *scaled_content().find(name + "=");
  at::Tensor copy = at::empty(view.shape, at::TensorOptions().dtype(at::kFloat));
  std::memcpy(copy.mutable_data_ptr(), view.data.data(), view.data.size());
  return copy;
}

std::set<std::string> cases() {
  std::set<std::string> names;
  for (const auto& [key, view] : scaled_content().tensors()) {
    if (key.ends_with('=')) names.insert(key.substr(0, key.size() - 1));
  }
  return names;
}

bool all(const std::string&) { return true; }

/// A tensor as bytes of a file.
io::TensorView view_of(const at::Tensor& tensor, io::Dtype dtype) {
  return {dtype, tensor.sizes().vec(), {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()}};
}

}  // namespace

TEST_CASE("every form of scaled weights comes to torch's own product, bit for bit, in every dtype") {
  const c10::InferenceMode inference;
  CHECK(cases().size() == 18);
  for (const std::string& name : cases()) {
    CAPTURE(name);
    const at::Tensor whole = twin(name);
    const auto file = checkpoint(name, all);
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
      CHECK(bound(file, whole.sizes().vec(), {at::kCPU, type}).equal(whole.to(type)));
    }
  }
}

TEST_CASE("without its scales a weight is another one") {
  const c10::InferenceMode inference;
  for (const std::string& name : cases()) {
    if (name.starts_with("integers") || name.starts_with("a layer that was left")) continue;
    CAPTURE(name);
    const at::Tensor whole = twin(name);
    const auto file = checkpoint(name, [](const std::string& key) { return key == "layer.weight"; });
    CHECK_FALSE(bound(file, whole.sizes().vec(), {}).equal(whole));
  }
}

TEST_CASE("integers without a note of their scheme are no weights") {
  const c10::InferenceMode inference;
  const auto file = checkpoint("integers of ComfyUI's int8_tensorwise",
                               [](const std::string& key) { return key != "layer.comfy_quant"; });
  CHECK_THROWS_WITH(bound(file, {24, 16}, {}), Catch::Contains("layer.weight is I8 with a scale"));
  const auto bare =
      checkpoint("integers of ComfyUI's int8_tensorwise", [](const std::string& key) { return key == "layer.weight"; });
  CHECK_THROWS_WITH(bound(bare, {24, 16}, {}), Catch::Contains("is I8; a weight must be"));
}

TEST_CASE("a LoRA adds to a scaled weight what it adds to the product") {
  const c10::InferenceMode inference;
  const std::string name = "rows [N]";
  const at::Tensor diff = at::linspace(-1, 1, 24 * 16, at::TensorOptions().dtype(at::kFloat)).reshape({24, 16});
  io::Safetensors lora;
  lora.tensors["diff"] = view_of(diff, io::Dtype::f32);
  const std::filesystem::path lora_file = temporary("lapis-scaled-lora.safetensors");
  io::write_safetensors(lora_file, lora, true);
  const std::vector<Delta> deltas = {{lora_file, "layer.weight", DeltaKind::full, {{"diff", "diff"}}, 0.5}};
  io::Safetensors plain;
  const at::Tensor whole = twin(name);
  plain.tensors["layer.weight"] = view_of(whole, io::Dtype::f32);
  const std::filesystem::path plain_file = temporary("lapis-scaled-twin.safetensors");
  io::write_safetensors(plain_file, plain, true);
  const auto scaled_file = checkpoint(name, all);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor merged = bound(scaled_file, {24, 16}, {at::kCPU, type}, deltas);
    CHECK(merged.equal(bound(plain_file, {24, 16}, {at::kCPU, type}, deltas)));
    CHECK_FALSE(merged.equal(whole.to(type)));
  }
}

TEST_CASE("under every naming a scale goes with its rows: fused, in another order, transposed, as a 1x1 convolution") {
  const c10::InferenceMode inference;
  using Shapes = std::vector<core::TensorShape>;
  const std::string layer = "text_model.encoder.layers.0.self_attn.";
  const std::string single = "single_transformer_blocks.0.";
  const Shapes clip = {{"text_projection.weight", {8, 16}},
                       {layer + "q_proj.weight", {8, 8}},
                       {layer + "k_proj.weight", {8, 8}},
                       {layer + "v_proj.weight", {8, 8}},
                       {"text_model.final_layer_norm.weight", {8}}};
  const Shapes flux = {{"x_embedder.weight", {8, 4}},
                       {"norm_out.linear.weight", {16, 8}},
                       {"transformer_blocks.0.attn.add_k_proj.weight", {8, 8}},
                       {"transformer_blocks.0.attn.add_q_proj.weight", {8, 8}},
                       {"transformer_blocks.0.attn.add_v_proj.weight", {8, 8}},
                       {single + "attn.to_k.weight", {8, 8}},
                       {single + "attn.to_q.weight", {8, 8}},
                       {single + "attn.to_v.weight", {8, 8}},
                       {single + "proj_mlp.weight", {32, 8}}};
  const Shapes t5 = {{"shared.weight", {32, 8}}, {"encoder.block.0.layer.0.SelfAttention.k.weight", {8, 8}}};
  const Shapes unet = {{"time_embedding.linear_1.weight", {8, 8}},
                       {"down_blocks.0.resnets.0.conv1.weight", {8, 4, 3, 3}},
                       {"down_blocks.0.attentions.0.proj_in.weight", {8, 8}}};
  const Shapes vae = {{"encoder.conv_in.weight", {8, 3, 3, 3}},
                      {"encoder.mid_block.attentions.0.to_q.weight", {8, 8}},
                      {"encoder.mid_block.attentions.0.to_out.0.weight", {8, 8}}};
  std::size_t tried = 0;
  for (const core::KeySchemeRow& row : core::key_schemes()) {
    for (const Shapes* graph : {&clip, &flux, &t5, &unet, &vae}) {
      if (!core::applies(row.key_scheme, *graph)) continue;
      for (const bool by_row : {false, true}) {
        CAPTURE(row.name, by_row);
        std::vector<at::Tensor> kept;
        io::Safetensors quantized;
        io::Safetensors plain;
        for (const core::TensorShape& tensor : core::checkpoint_tensors(row.key_scheme, *graph)) {
          const at::Tensor stored = (at::rand(tensor.shape) - 0.5).to(at::kFloat8_e4m3fn);
          const at::Tensor scale = at::rand({by_row ? tensor.shape.front() : 1}) + 0.5;
          std::vector<std::int64_t> over(tensor.shape.size(), 1);
          over.front() = scale.size(0);
          const at::Tensor whole = stored.to(at::kFloat) * scale.view(over);
          const bool dotted = tensor.name.ends_with(".weight");
          const std::string name = "p." + tensor.name;
          quantized.tensors[name] = view_of(stored, io::Dtype::f8_e4m3);
          quantized.tensors[dotted ? name.substr(0, name.size() - 7) + ".scale_weight" : name + "_scale"] =
              view_of(scale, io::Dtype::f32);
          plain.tensors[name] = view_of(whole, io::Dtype::f32);
          kept.insert(kept.end(), {stored, scale, whole});
        }
        Part part;
        part.key_scheme = row.name;
        part.prefix = "p.";
        part.weights = {temporary("lapis-scaled-named.safetensors")};
        io::write_safetensors(part.weights.front(), quantized, true);
        const Weights scaled_weights(part, "part");
        const std::vector<at::Tensor> results = scaled_weights.bound(*graph, {});
        part.weights = {temporary("lapis-scaled-twin.safetensors")};
        io::write_safetensors(part.weights.front(), plain, true);
        const Weights plain_weights(part, "part");
        const std::vector<at::Tensor> expected = plain_weights.bound(*graph, {});
        for (std::size_t i = 0; i < graph->size(); ++i) {
          CAPTURE((*graph)[i].name);
          CHECK(results[i].equal(expected[i]));
          CHECK(results[i].strides() == expected[i].strides());
        }
        ++tried;
      }
    }
  }
  CHECK(tried >= 2 * core::key_schemes().size());
}
