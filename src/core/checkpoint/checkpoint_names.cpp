#include "core/checkpoint/checkpoint_names.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace lapis::core {
namespace {

using Rename = std::pair<std::string_view, std::string_view>;
using Renames = std::span<const Rename>;

/// The first pair of the table whose left side begins `name` takes its place there.
std::optional<std::string> renamed_beginning(std::string_view name, Renames table) {
  for (const auto& [from, to] : table) {
    if (name.starts_with(from)) return std::string(to).append(name.substr(from.size()));
  }
  return std::nullopt;
}

/// The first pair of the table whose left side stands in `name` takes its place there.
std::string renamed(std::string name, Renames table) {
  for (const auto& [from, to] : table) {
    if (const std::size_t at = name.find(from); at != std::string::npos) return name.replace(at, from.size(), to);
  }
  return name;
}

/// "KIND.NUMBER.rest" in its three parts.
struct Numbered {
  std::string_view kind;
  int number = 0;
  std::string_view rest;
};

std::optional<Numbered> split_number(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  Numbered found{name.substr(0, dot), 0, name.substr(dot + 1)};
  std::size_t digits = 0;
  while (digits < found.rest.size() && found.rest[digits] >= '0' && found.rest[digits] <= '9') {
    found.number = 10 * found.number + (found.rest[digits++] - '0');
  }
  if (digits == 0 || digits > 4 || digits == found.rest.size() || found.rest[digits] != '.') return std::nullopt;
  found.rest.remove_prefix(digits + 1);
  return found;
}

/// Rows that `part` takes of equal ones, `height` each.
std::vector<RowRange> slice(std::int64_t part, std::int64_t height) { return {{part * height, height}}; }

// The UNet of ldm.

constexpr std::array<Rename, 10> unet_tops = {{
    {"conv_in.", "input_blocks.0.0."},
    {"conv_norm_out.", "out.0."},
    {"conv_out.", "out.2."},
    {"time_embedding.linear_1.", "time_embed.0."},
    {"time_embedding.linear_2.", "time_embed.2."},
    {"add_embedding.linear_1.", "label_emb.0.0."},
    {"add_embedding.linear_2.", "label_emb.0.2."},
    {"mid_block.resnets.0.", "middle_block.0."},
    {"mid_block.attentions.0.", "middle_block.1."},
    {"mid_block.resnets.1.", "middle_block.2."},
}};

constexpr std::array<Rename, 6> unet_resnet = {{
    {".norm1.", ".in_layers.0."},
    {".conv1.", ".in_layers.2."},
    {".time_emb_proj.", ".emb_layers.1."},
    {".norm2.", ".out_layers.0."},
    {".conv2.", ".out_layers.3."},
    {".conv_shortcut.", ".skip_connection."},
}};

/// What a graph's names tell of how its blocks lie.
struct GraphLayout {
  std::set<int> attended;  ///< up blocks that have attentions, behind which their upsampler stands third, not second
  int layers = 0;          ///< resnets of a down block
  int levels = 0;          ///< up blocks, of a VAE's decoder
};

std::string ldm_unet_name(const std::string& name, const GraphLayout& layout) {
  if (const auto top = renamed_beginning(name, unet_tops)) {
    return name.starts_with("mid_block.resnets.") ? renamed(*top, unet_resnet) : *top;
  }
  const auto block = split_number(name);
  const auto layer = block ? split_number(block->rest) : std::nullopt;
  if (!layer) return name;
  const bool down = block->kind == "down_blocks";
  const int first = (layout.layers + 1) * block->number + (down ? 1 : 0);  // input block 0 is conv_in
  const auto place = [&](int number, std::string_view rest) {
    return std::string(down ? "input_blocks." : "output_blocks.") + std::to_string(number) + "." + std::string(rest);
  };
  const std::string rest(layer->rest);
  if (layer->kind == "resnets") return renamed(place(first + layer->number, "0." + rest), unet_resnet);
  if (layer->kind == "attentions") return place(first + layer->number, "1." + rest);
  if (layer->kind == "downsamplers") return place(first + layout.layers, "0.op" + rest.substr(rest.rfind('.')));
  return place(first + layout.layers, (layout.attended.contains(block->number) ? "2." : "1.") + rest);
}

GraphLayout layout_of(std::span<const TensorShape> graph) {
  constexpr std::string_view decoder = "decoder.";
  GraphLayout layout;
  for (const TensorShape& tensor : graph) {
    const bool in_decoder = tensor.name.starts_with(decoder);
    const auto block = split_number(std::string_view(tensor.name).substr(in_decoder ? decoder.size() : 0));
    if (!block) continue;
    const auto layer = split_number(block->rest);
    if (block->kind == "up_blocks" && in_decoder) layout.levels = std::max(layout.levels, block->number + 1);
    if (!layer) continue;
    if (block->kind == "up_blocks" && layer->kind == "attentions") layout.attended.insert(block->number);
    if (block->kind == "down_blocks" && layer->kind == "resnets") {
      layout.layers = std::max(layout.layers, layer->number + 1);
    }
  }
  return layout;
}

// The VAE of ldm.

constexpr std::array<Rename, 5> vae_attention = {{
    {".group_norm.", ".norm."},
    {".to_q.", ".q."},
    {".to_k.", ".k."},
    {".to_v.", ".v."},
    {".to_out.0.", ".proj_out."},
}};

constexpr std::array<Rename, 4> vae_attention_old = {{
    {".to_q.", ".query."},
    {".to_k.", ".key."},
    {".to_v.", ".value."},
    {".to_out.0.", ".proj_attn."},
}};

constexpr std::array<Rename, 5> vae_places = {{
    {".conv_norm_out.", ".norm_out."},
    {".mid_block.resnets.0.", ".mid.block_1."},
    {".mid_block.resnets.1.", ".mid.block_2."},
    {".mid_block.attentions.0.", ".mid.attn_1."},
    {".down_blocks.", ".down."},
}};

constexpr std::array<Rename, 3> vae_layers = {{
    {".resnets.", ".block."},
    {".downsamplers.0.", ".downsample."},
    {".upsamplers.0.", ".upsample."},
}};

constexpr std::array<Rename, 1> vae_shortcut = {{{".conv_shortcut.", ".nin_shortcut."}}};

/// ldm counts the levels of the decoder from the finest, diffusers from the coarsest.
std::string ldm_vae_name(std::string name, const GraphLayout& layout) {
  constexpr std::string_view up = "decoder.up_blocks.";
  if (name.starts_with(up)) {
    const int level = layout.levels - 1 - (name[up.size()] - '0');
    name = "decoder.up." + std::to_string(level) + name.substr(up.size() + 1);
  }
  name = renamed(renamed(std::move(name), vae_places), vae_layers);
  return renamed(renamed(std::move(name), vae_shortcut), vae_attention);
}

// The text encoder of OpenCLIP.

constexpr std::array<Rename, 3> open_clip_tops = {{
    {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
    {"text_model.embeddings.token_embedding.", "token_embedding."},
    {"text_model.final_layer_norm.", "ln_final."},
}};

constexpr std::array<Rename, 5> open_clip_layers = {{
    {".layer_norm1.", ".ln_1."},
    {".layer_norm2.", ".ln_2."},
    {".mlp.fc1.", ".mlp.c_fc."},
    {".mlp.fc2.", ".mlp.c_proj."},
    {".self_attn.out_proj.", ".attn.out_proj."},
}};

constexpr std::array<std::string_view, 3> clip_heads = {".self_attn.q_proj.", ".self_attn.k_proj.",
                                                        ".self_attn.v_proj."};

TensorLocation open_clip_place(const TensorShape& tensor) {
  if (tensor.name == "text_projection.weight") return {"text_projection", {}, true};
  if (const auto top = renamed_beginning(tensor.name, open_clip_tops)) return {*top, {}, false};
  constexpr std::string_view layers = "text_model.encoder.layers.";
  if (!tensor.name.starts_with(layers)) return {tensor.name, {}, false};
  const std::string name = "transformer.resblocks." + tensor.name.substr(layers.size());
  for (std::size_t part = 0; part < clip_heads.size(); ++part) {
    const std::size_t at = name.find(clip_heads[part]);
    if (at == std::string::npos) continue;
    const std::string kind = name.substr(at + clip_heads[part].size());
    return {name.substr(0, at) + ".attn.in_proj_" + kind, slice(static_cast<std::int64_t>(part), tensor.shape[0]),
            false};
  }
  return {renamed(name, open_clip_layers), {}, false};
}

// The transformer of Flux.

constexpr std::array<Rename, 11> flux_tops = {{
    {"time_text_embed.timestep_embedder.linear_1.", "time_in.in_layer."},
    {"time_text_embed.timestep_embedder.linear_2.", "time_in.out_layer."},
    {"time_text_embed.text_embedder.linear_1.", "vector_in.in_layer."},
    {"time_text_embed.text_embedder.linear_2.", "vector_in.out_layer."},
    {"time_text_embed.guidance_embedder.linear_1.", "guidance_in.in_layer."},
    {"time_text_embed.guidance_embedder.linear_2.", "guidance_in.out_layer."},
    {"context_embedder.", "txt_in."},
    {"x_embedder.", "img_in."},
    {"proj_out.", "final_layer.linear."},
    {"transformer_blocks.", "double_blocks."},
    {"single_transformer_blocks.", "single_blocks."},
}};

constexpr std::array<Rename, 12> flux_double = {{
    {".norm1.linear.", ".img_mod.lin."},
    {".norm1_context.linear.", ".txt_mod.lin."},
    {".attn.norm_q.weight", ".img_attn.norm.query_norm.scale"},
    {".attn.norm_k.weight", ".img_attn.norm.key_norm.scale"},
    {".attn.norm_added_q.weight", ".txt_attn.norm.query_norm.scale"},
    {".attn.norm_added_k.weight", ".txt_attn.norm.key_norm.scale"},
    {".attn.to_out.0.", ".img_attn.proj."},
    {".attn.to_add_out.", ".txt_attn.proj."},
    {".ff.net.0.proj.", ".img_mlp.0."},
    {".ff.net.2.", ".img_mlp.2."},
    {".ff_context.net.0.proj.", ".txt_mlp.0."},
    {".ff_context.net.2.", ".txt_mlp.2."},
}};

constexpr std::array<Rename, 4> flux_single = {{
    {".norm.linear.", ".modulation.lin."},
    {".attn.norm_q.weight", ".norm.query_norm.scale"},
    {".attn.norm_k.weight", ".norm.key_norm.scale"},
    {".proj_out.", ".linear2."},
}};

/// A parameter that is rows of a fused tensor: `part` of equal ones.
struct Fused {
  std::string_view name;
  std::string_view tensor;
  std::int64_t part;
};

constexpr std::array<Fused, 6> flux_double_fused = {{
    {".attn.to_q.", ".img_attn.qkv.", 0},
    {".attn.to_k.", ".img_attn.qkv.", 1},
    {".attn.to_v.", ".img_attn.qkv.", 2},
    {".attn.add_q_proj.", ".txt_attn.qkv.", 0},
    {".attn.add_k_proj.", ".txt_attn.qkv.", 1},
    {".attn.add_v_proj.", ".txt_attn.qkv.", 2},
}};

constexpr std::array<Fused, 3> flux_single_fused = {{
    {".attn.to_q.", ".linear1.", 0},
    {".attn.to_k.", ".linear1.", 1},
    {".attn.to_v.", ".linear1.", 2},
}};

constexpr std::int64_t flux_mlp_ratio = 4;  // height of the MLP's first layer in widths of the network

TensorLocation flux_block_place(const std::string& name, std::int64_t height, std::span<const Fused> fused,
                                Renames names) {
  for (const Fused& row : fused) {
    const std::size_t at = name.find(row.name);
    if (at != std::string::npos) {
      return {std::string(name).replace(at, row.name.size(), row.tensor), slice(row.part, height), false};
    }
  }
  return {renamed(name, names), {}, false};
}

TensorLocation flux_place(const TensorShape& tensor) {
  const std::int64_t height = tensor.shape[0];
  constexpr std::string_view norm_out = "norm_out.linear.";
  if (tensor.name.starts_with(norm_out)) {  // shift and scale there, scale and shift here
    return {"final_layer.adaLN_modulation.1." + tensor.name.substr(norm_out.size()),
            {{height / 2, height / 2}, {0, height / 2}},
            false};
  }
  const std::string name = renamed_beginning(tensor.name, flux_tops).value_or(tensor.name);
  if (name.starts_with("double_blocks.")) return flux_block_place(name, height, flux_double_fused, flux_double);
  if (!name.starts_with("single_blocks.")) return {name, {}, false};
  if (const std::size_t at = name.find(".proj_mlp."); at != std::string::npos) {  // behind q, k and v
    return {std::string(name).replace(at, 10, ".linear1."), {{3 * (height / flux_mlp_ratio), height}}, false};
  }
  return flux_block_place(name, height, flux_single_fused, flux_single);
}

// The table.

constexpr std::array<Rename, 1> bare = {{{"text_model.", ""}}};
constexpr std::array<Rename, 1> tied = {{{"shared.", "encoder.embed_tokens."}}};

TensorLocation place(KeyScheme key_scheme, const TensorShape& tensor, const GraphLayout& layout) {
  const std::string& name = tensor.name;
  switch (key_scheme) {
    case KeyScheme::diffusers:
    case KeyScheme::clip:
    case KeyScheme::t5: return {name, {}, false};
    case KeyScheme::diffusers_old: return {renamed(name, vae_attention_old), {}, false};
    case KeyScheme::clip_level: return {name.starts_with("text_projection.") ? name : "text_model." + name, {}, false};
    case KeyScheme::clip_bare: return {renamed_beginning(name, bare).value_or(name), {}, false};
    case KeyScheme::open_clip: return open_clip_place(tensor);
    case KeyScheme::t5_tied: return {renamed_beginning(name, tied).value_or(name), {}, false};
    case KeyScheme::ldm_unet: return {ldm_unet_name(name, layout), {}, false};
    case KeyScheme::ldm_vae: return {ldm_vae_name(name, layout), {}, false};
    case KeyScheme::flux: return flux_place(tensor);
  }
  return {name, {}, false};
}

std::vector<KeySchemeRow> key_scheme_table() {
  const std::string first_clip = "conditioner.embedders.0.transformer.";
  const std::vector<std::string> vae = {"encoder.conv_in.weight", "decoder.conv_in.weight"};
  const std::vector<std::string> text = {"text_model.final_layer_norm.weight"};
  const std::vector<std::string> unet = {"time_embedding.linear_1.weight"};
  return {
      {KeyScheme::diffusers, "diffusers", {}, {""}},
      {KeyScheme::diffusers_old, "diffusers of 2022", vae, {""}},
      {KeyScheme::clip,
       "clip",
       text,
       {"cond_stage_model.transformer.", first_clip, "text_encoders.clip_l.transformer.",
        "text_encoders.clip_g.transformer."}},
      {KeyScheme::clip_level,
       "clip with text_model",
       {"final_layer_norm.weight"},
       {"", "cond_stage_model.transformer.", first_clip, "text_encoders.clip_l.transformer."}},
      {KeyScheme::clip_bare, "clip without text_model", text, {"", "cond_stage_model.transformer.", first_clip}},
      {KeyScheme::open_clip,
       "open-clip",
       {"text_projection.weight"},
       {"conditioner.embedders.1.model.", "conditioner.embedders.0.model.", ""}},
      {KeyScheme::t5, "t5", {"shared.weight"}, {"text_encoders.t5xxl.transformer."}},
      {KeyScheme::t5_tied, "t5 with tied names", {"shared.weight"}, {"", "text_encoders.t5xxl.transformer."}},
      {KeyScheme::ldm_unet, "ldm-unet", unet, {"model.diffusion_model.", ""}},
      {KeyScheme::ldm_vae, "ldm-vae", vae, {"first_stage_model.", "vae.", ""}},
      {KeyScheme::flux, "flux", {"x_embedder.weight"}, {"model.diffusion_model.", ""}},
  };
}

}  // namespace

std::int64_t count_of(std::span<const std::int64_t> shape) {
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::span<const KeySchemeRow> key_schemes() {
  static const std::vector<KeySchemeRow> table = key_scheme_table();
  return table;
}

const KeySchemeRow& key_scheme_row(KeyScheme key_scheme) {
  return *std::ranges::find(key_schemes(), key_scheme, &KeySchemeRow::key_scheme);
}

const KeySchemeRow* find_key_scheme(std::string_view name) {
  const auto row = std::ranges::find(key_schemes(), name, &KeySchemeRow::name);
  return row == key_schemes().end() ? nullptr : &*row;
}

bool applies(KeyScheme key_scheme, std::span<const TensorShape> graph) {
  const std::vector<std::string>& marks = key_scheme_row(key_scheme).marks;
  return marks.empty() || std::ranges::any_of(graph, [&](const TensorShape& tensor) {
           return std::ranges::find(marks, tensor.name) != marks.end();
         });
}

std::vector<TensorLocation> places(KeyScheme key_scheme, std::span<const TensorShape> graph) {
  const GraphLayout layout = layout_of(graph);
  std::vector<TensorLocation> found;
  found.reserve(graph.size());
  for (const TensorShape& tensor : graph) found.push_back(place(key_scheme, tensor, layout));
  return found;
}

std::vector<TensorShape> checkpoint_tensors(KeyScheme key_scheme, std::span<const TensorShape> graph) {
  const std::vector<TensorLocation> where = places(key_scheme, graph);
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    std::vector<std::int64_t> shape = graph[i].shape;
    if (where[i].transposed) std::ranges::reverse(shape);
    std::vector<std::int64_t>& whole = shapes.try_emplace(where[i].name, shape).first->second;
    for (const RowRange& range : where[i].rows) whole[0] = std::max(whole[0], range.first + range.count);
  }
  std::vector<TensorShape> tensors;
  for (auto& [name, shape] : shapes) tensors.push_back({name, std::move(shape)});
  return tensors;
}

}  // namespace lapis::core
