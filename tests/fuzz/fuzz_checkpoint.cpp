#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "core/checkpoint/sampling_claims.hpp"
#include "input.hpp"
#include "io/checkpoint/checkpoint.hpp"
#include "io/checkpoint/graph_library.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

using namespace lapis;

namespace {

using Tensors = std::map<std::string, test::MadeTensor>;

// What changes the meaning of the rest, or only stands beside it.
constexpr std::array marks = {"v_pred",
                              "ztsnr",
                              "edm_mean",
                              "edm_std",
                              "edm_vpred.sigma_max",
                              "scaled_fp8",
                              "model_ema.decay",
                              "model_ema.num_updates",
                              "alphas_cumprod",
                              "betas",
                              "cond_stage_model.transformer.text_model.embeddings.position_ids",
                              "model.diffusion_model.time_embed.cond_proj.weight",
                              "unet.time_embedding.cond_proj.weight",
                              "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.fuser.alpha_attn",
                              "model.diffusion_model.input_blocks.1.2.temporal_transformer.norm.weight",
                              "control_model.zero_convs.0.0.weight",
                              "ip_adapter.1.to_k_ip.weight",
                              "image_proj.proj.weight",
                              "lora_unet_mid_block_attentions_0_proj_in.alpha",
                              "double_blocks.0.img_attn.qkv.lora_A.weight",
                              "distilled_guidance_layer.in_proj.weight",
                              "x"};
constexpr std::array notes = {
    ".scale_weight", ".weight_scale", ".weight_scale_inv", ".input_scale",   ".comfy_quant", ".weight_scale_2",
    ".wscales",      ".scales",       ".qweight",          ".weight.absmax", ".bias",        ".x"};
constexpr std::array keys = {"modelspec.prediction_type", "modelspec.architecture", "ss_v_parameterization",
                             "ss_zero_terminal_snr",      "_quantization_metadata", "format",
                             "prediction_type",           "modelspec.title",        "ss_base_model_version"};
constexpr std::array values = {"v",
                               "epsilon",
                               "True",
                               "False",
                               "1",
                               "",
                               "stable-diffusion-xl-v1-base",
                               "{}",
                               R"({"layers": {"x": {"format": "float8_e4m3fn"}}})",
                               "pt"};
constexpr std::array dtypes = {"F16", "F32", "BF16", "F8_E4M3", "F8_E5M2", "I8", "U8", "I64", "F64", "F4"};
constexpr std::array<std::int64_t, 12> sides = {1, 2, 0, 3, 4, 8, 9, 128, 320, 768, 4096, 1 << 20};

std::string edited(std::string name, test::Choices& choices) {
  const std::size_t at = choices.number() % (name.size() + 1);
  return name.replace(at, choices.byte(), choices.text());
}

void add_graph(Tensors& tensors, const core::KnownGraph& graph, test::Choices& choices) {
  const core::KeySchemeRow& row = choices.one_of(core::key_schemes());
  if (!core::applies(row.key_scheme, graph.tensors)) return;
  const std::string prefix = row.prefixes.empty() ? "" : choices.one_of(row.prefixes);
  const std::string dtype = choices.one_of(dtypes);
  for (const core::TensorShape& tensor : core::checkpoint_tensors(row.key_scheme, graph.tensors)) {
    tensors[prefix + tensor.name] = {dtype, tensor.shape};
  }
}

void change(Tensors& tensors, test::Choices& choices) {
  if (tensors.empty()) return;
  const auto place = std::next(tensors.begin(), static_cast<std::ptrdiff_t>(choices.number() % tensors.size()));
  const std::string name = place->first;
  test::MadeTensor& tensor = place->second;
  switch (choices.byte() % 6) {
    case 0: tensors.erase(place); return;
    case 1: tensors[edited(name, choices)] = tensor; return;
    case 2:
      tensors[name.substr(0, name.rfind('.')) + choices.one_of(notes)] = {
          choices.one_of(dtypes), {}, "\x3f\x3f\x3f\x3f"};
      return;
    case 3: tensor.dtype = choices.one_of(dtypes); return;
    case 4: tensor.shape.assign(choices.byte() % 6, choices.one_of(sides)); return;
    default:
      if (!tensor.shape.empty()) tensor.shape[choices.byte() % tensor.shape.size()] = choices.one_of(sides);
  }
}

/// The graphs of models/graphs, all of them at first, and then few at a time, which takes less: those of each model,
/// and the small ones.
std::vector<std::vector<core::KnownGraph>> graph_sets() {
  std::vector<std::vector<core::KnownGraph>> sets(2);
  const io::GraphLibrary known(test::models() / "graphs");
  for (const core::KnownGraph& graph : known.architectures()) {
    sets[0].push_back(graph);
    if (graph.tensors.size() < 250) sets[1].push_back(graph);
  }
  for (const char* name : {"tiny-sd15", "tiny-sdxl", "tiny-flux"}) {
    io::GraphLibrary library{std::filesystem::path()};
    library.add(io::read_model(test::models() / name));
    sets.emplace_back(library.architectures().begin(), library.architectures().end());
  }
  return sets;
}

}  // namespace

/// Checkpoints that have mostly the names of known graphs, held against them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::vector<core::KnownGraph>> sets = graph_sets();
  test::Choices choices(data, size);
  const std::size_t set = choices.byte();
  const std::vector<core::KnownGraph>& graphs = set == 255 ? sets[0] : sets[1 + set % (sets.size() - 1)];
  Tensors tensors;
  std::map<std::string, std::string> metadata;
  for (int steps = 0; !choices.end() && steps < 32; ++steps) {
    switch (choices.byte() % 8) {
      case 0: add_graph(tensors, choices.one_of(graphs), choices); break;
      case 1: tensors[choices.one_of(marks)] = {choices.one_of(dtypes), {choices.one_of(sides)}}; break;
      case 2: metadata[choices.one_of(keys)] = choices.one_of(values); break;
      case 3: metadata[choices.one_of(keys)] = choices.text(); break;
      default: change(tensors, choices);
    }
  }
  try {
    const test::MadeFile file(tensors, metadata);
    const io::Checkpoint checkpoint({file.path()});
    std::vector<std::string> names;
    for (const core::TensorShape& tensor : checkpoint.tensors()) names.push_back(tensor.name);
    core::sampling_claims(checkpoint.metadata(), names);
    const core::CheckpointKind kind = core::identify(checkpoint.tensors(), graphs);
    for (const core::GraphMatch& match : kind.complete) {
      if (!match.complete() || match.wanted > names.size()) __builtin_trap();
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) __builtin_trap();
  }
  return 0;
}
