#include "core/checkpoint_kind.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace lapis::core {
namespace {

using Shape = std::vector<std::int64_t>;
using Shapes = std::unordered_map<std::string, const Shape*>;

std::string shown(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

void append(Listing& listing, std::string line) {
  if (++listing.count <= listing_length) listing.first.push_back(std::move(line));
}

/// Whether two shapes are the same but for a 1x1 kernel's sizes.
bool same_bytes(std::span<const std::int64_t> one, std::span<const std::int64_t> other) {
  const auto trimmed = [](std::span<const std::int64_t> shape) {
    while (shape.size() > 1 && shape.back() == 1) shape = shape.first(shape.size() - 1);
    return shape;
  };
  return std::ranges::equal(trimmed(one), trimmed(other));
}

// ---- holding graphs against a checkpoint ----

/// A graph in one naming: what a checkpoint of it holds.
struct NamedGraph {
  const KnownGraph* graph;
  const NamingRow* row;
  std::vector<TensorShape> tensors;
};

HeldGraph hold(const NamedGraph& named, const std::string& prefix, const Shapes& checkpoint) {
  HeldGraph held{named.graph->name, named.graph->part, named.row->naming, prefix, named.tensors.size(), {}, {}};
  for (const TensorShape& tensor : named.tensors) {
    const auto found = checkpoint.find(prefix + tensor.name);
    if (found == checkpoint.end()) {
      append(held.missing, prefix + tensor.name);
    } else if (!same_bytes(*found->second, tensor.shape)) {
      append(held.misshapen,
             prefix + tensor.name + " is " + shown(*found->second) + ", expected " + shown(tensor.shape));
    }
  }
  return held;
}

/// A graph that is held, with the names of its tensors in the checkpoint.
struct Candidate {
  HeldGraph held;
  const NamedGraph* named;
};

/// Every way to hold any of the graphs of which at least one tensor fits: whole ones first, the largest of them first,
/// then by the share that fits.
std::vector<Candidate> candidates(std::span<const NamedGraph> named, const Shapes& checkpoint) {
  std::vector<Candidate> found;
  for (const NamedGraph& graph : named) {
    for (const std::string& prefix : graph.row->prefixes) {
      HeldGraph held = hold(graph, prefix, checkpoint);
      if (held.fitting() > 0) found.push_back({std::move(held), &graph});
    }
  }
  std::ranges::stable_sort(found, [](const Candidate& one, const Candidate& other) {
    const HeldGraph& a = one.held;
    const HeldGraph& b = other.held;
    if (a.whole() != b.whole()) return a.whole();
    if (a.whole()) return a.wanted > b.wanted;
    return a.fitting() * b.wanted > b.fitting() * a.wanted;
  });
  return found;
}

/// Names of the checkpoint that some graph holds already.
using Claims = std::unordered_set<std::string>;

bool is_free(const Candidate& candidate, const Claims& claims) {
  return std::ranges::none_of(candidate.named->tensors, [&](const TensorShape& tensor) {
    return claims.contains(candidate.held.prefix + tensor.name);
  });
}

void claim(const Candidate& candidate, const Shapes& checkpoint, Claims& claims) {
  for (const TensorShape& tensor : candidate.named->tensors) {
    const std::string name = candidate.held.prefix + tensor.name;
    if (checkpoint.contains(name)) claims.insert(name);
  }
}

// ---- titles ----

struct TitleRow {
  std::string_view graph;
  std::string_view title;
};

constexpr TitleRow titles[] = {
    {"sd15-unet", "Stable Diffusion 1.5"},
    {"sd15-inpaint-unet", "Stable Diffusion 1.5 inpainting"},
    {"sdxl-unet", "Stable Diffusion XL"},
    {"sdxl-refiner-unet", "Stable Diffusion XL refiner"},
    {"flux-dev", "FLUX.1 dev"},
    {"flux-schnell", "FLUX.1 schnell"},
};

std::string title_of(std::span<const HeldGraph> whole) {
  for (const HeldGraph& held : whole) {
    for (const TitleRow& row : titles) {
      if (row.graph == held.graph) return std::string(row.title);
    }
  }
  const auto all_begin = [&](std::string_view part) {
    return !whole.empty() &&
           std::ranges::all_of(whole, [&](const HeldGraph& held) { return held.part.starts_with(part); });
  };
  if (all_begin("vae_")) return "a VAE alone";
  if (all_begin("text_encoder")) return whole.size() > 1 ? "text encoders alone" : "a text encoder alone";
  return whole.empty() ? "" : "parts without a denoiser";
}

enum class Where { begin, inside, end };

/// A name that only checkpoints of one kind have; with `axis`, where its tensor has this size there.
struct Mark {
  std::string_view title;
  Where where;
  std::string_view text;
  int axis = -1;
  std::int64_t size = 0;
};

// The first row that fits counts: what contains others' names stands before them.
constexpr Mark marks[] = {
    {"a LoRA", Where::inside, ".lora_down."},
    {"a LoRA", Where::inside, ".lora_up."},
    {"a LoRA", Where::inside, ".lora_A."},
    {"a LoRA", Where::inside, ".lora.down."},
    {"a LoRA", Where::inside, "_lora.down."},
    {"a LoRA", Where::inside, ".hada_w1_a"},
    {"a LoRA", Where::inside, ".lokr_w1"},
    {"a ControlNet", Where::begin, "control_model."},
    {"a ControlNet", Where::inside, "controlnet_cond_embedding."},
    {"a ControlNet", Where::inside, "controlnet_blocks."},
    {"a ControlNet", Where::inside, "input_hint_block."},
    {"an IP-Adapter", Where::begin, "ip_adapter."},
    {"an IP-Adapter", Where::begin, "image_proj."},
    {"a textual inversion", Where::begin, "emb_params"},
    {"a textual inversion", Where::begin, "string_to_param"},
    {"a checkpoint in fp8 with scales of its own", Where::end, "scaled_fp8"},
    {"a checkpoint in fp8 with scales of its own", Where::inside, ".scale_weight"},
    {"a checkpoint quantized by bitsandbytes", Where::inside, ".quant_state.bitsandbytes__"},
    {"a quantized checkpoint", Where::end, ".qweight"},
    {"a latent consistency model", Where::end, "time_embedding.cond_proj.weight"},
    {"GLIGEN", Where::inside, ".fuser."},
    {"Kolors", Where::end, "encoder_hid_proj.weight"},
    {"AnimateDiff's motion modules", Where::inside, "motion_modules."},
    {"Stable Video Diffusion", Where::inside, ".time_stack."},
    {"Stable Video Diffusion", Where::inside, ".temporal_transformer_blocks."},
    {"Stable Diffusion 3.5 large", Where::end, "joint_blocks.37.x_block.mlp.fc1.weight"},
    {"Stable Diffusion 3.5 medium", Where::end, "joint_blocks.0.x_block.attn2.qkv.weight"},
    {"Stable Diffusion 3", Where::end, "joint_blocks.0.context_block.adaLN_modulation.1.bias"},
    {"Stable Diffusion 3", Where::end, "transformer_blocks.0.attn.add_q_proj.weight", 0, 1536},
    {"Stable Diffusion 3.5 large", Where::end, "transformer_blocks.0.attn.add_q_proj.weight", 0, 2432},
    {"Stable Cascade, stage C", Where::end, "clip_txt_mapper.weight"},
    {"Stable Cascade, stage B", Where::end, "down_blocks.1.0.channelwise.0.weight"},
    {"Stable Cascade, stage C", Where::end, "clip_txt_pooled_mapper.weight"},
    {"LTX-Video", Where::end, "patchify_proj.weight"},
    {"Sana", Where::end, "attention_y_norm.weight"},
    {"PixArt", Where::end, "y_embedder.y_proj.fc1.weight"},
    {"PixArt", Where::end, "adaln_single.linear.weight"},
    {"Wan", Where::end, "head.modulation"},
    {"Wan", Where::end, "condition_embedder.time_proj.weight"},
    {"Wan's VAE", Where::end, "decoder.middle.0.residual.0.gamma"},
    {"HunyuanVideo", Where::inside, "txt_in.individual_token_refiner."},
    {"HunyuanVideo", Where::inside, "context_embedder.token_refiner."},
    {"HunyuanDiT", Where::end, "mlp_t5.0.weight"},
    {"HunyuanDiT", Where::end, "text_embedding_padding"},
    {"AuraFlow", Where::end, "double_layers.0.attn.w1q.weight"},
    {"AuraFlow", Where::end, "joint_transformer_blocks.0.attn.add_q_proj.weight"},
    {"FLUX.2", Where::end, "single_stream_modulation.lin.weight"},
    {"Chroma", Where::end, "distilled_guidance_layer.in_proj.bias"},
    {"FLUX.1 Fill", Where::end, "img_in.weight", 1, 384},
    {"FLUX.1 Canny or Depth", Where::end, "img_in.weight", 1, 128},
    {"Qwen-Image", Where::end, "transformer_blocks.0.img_mod.1.weight"},
    {"Z-Image", Where::end, "layers.0.adaLN_modulation.0.weight"},
    {"Lumina 2", Where::end, "cap_embedder.0.weight"},
    {"Playground 2.5", Where::end, "edm_mean"},
    {"InstructPix2Pix", Where::end, "input_blocks.0.0.weight", 1, 8},
    {"InstructPix2Pix", Where::begin, "conv_in.weight", 1, 8},
    {"Stable Diffusion's x4 upscaler", Where::end, "input_blocks.0.0.weight", 1, 7},
    {"Stable Diffusion 2", Where::end, "input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight", 1, 1024},
    {"Stable Diffusion 2", Where::begin, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1, 1024},
    {"Stable Diffusion 2", Where::begin, "cond_stage_model.model.transformer.resblocks."},
};

bool bears(const TensorShape& tensor, const Mark& mark) {
  const std::string_view name = tensor.name;
  const bool named = mark.where == Where::begin ? name.starts_with(mark.text)
                     : mark.where == Where::end ? name.ends_with(mark.text)
                                                : name.find(mark.text) != std::string_view::npos;
  if (!named || mark.axis < 0) return named;
  const auto axis = static_cast<std::size_t>(mark.axis);
  return axis < tensor.shape.size() && tensor.shape[axis] == mark.size;
}

/// A file of one or two tables as wide as a CLIP text encoder is a textual inversion, whatever its names.
bool is_textual_inversion(std::span<const TensorShape> checkpoint) {
  constexpr std::int64_t widths[] = {768, 1024, 1280};
  return !checkpoint.empty() && checkpoint.size() <= 2 &&
         std::ranges::all_of(checkpoint, [&](const TensorShape& tensor) {
           const bool narrow = tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[0] <= 100);
           return narrow && std::ranges::find(widths, tensor.shape.back()) != std::end(widths);
         });
}

}  // namespace

std::string foreign_title(std::span<const TensorShape> checkpoint) {
  for (const Mark& mark : marks) {
    if (std::ranges::any_of(checkpoint, [&](const TensorShape& tensor) { return bears(tensor, mark); })) {
      return std::string(mark.title);
    }
  }
  return is_textual_inversion(checkpoint) ? "a textual inversion" : "";
}

CheckpointKind recognize(std::span<const TensorShape> checkpoint, std::span<const KnownGraph> graphs) {
  Shapes shapes;
  for (const TensorShape& tensor : checkpoint) shapes.emplace(tensor.name, &tensor.shape);
  std::vector<NamedGraph> named;
  for (const KnownGraph& graph : graphs) {
    for (const NamingRow& row : namings()) {
      if (applies(row.naming, graph.tensors)) {
        named.push_back({&graph, &row, checkpoint_tensors(row.naming, graph.tensors)});
      }
    }
  }
  CheckpointKind kind;
  Claims claims;
  const std::vector<Candidate> all = candidates(named, shapes);
  for (const Candidate& candidate : all) {
    if (2 * candidate.held.fitting() < candidate.held.wanted || !is_free(candidate, claims)) continue;
    claim(candidate, shapes, claims);
    (candidate.held.whole() ? kind.whole : kind.broken).push_back(candidate.held);
  }
  if (kind.whole.empty() && kind.broken.empty() && !all.empty()) {
    const auto fitting = [](const Candidate& candidate) { return candidate.held.fitting(); };
    kind.nearest.push_back(std::ranges::max_element(all, {}, fitting)->held);
  }
  for (const TensorShape& tensor : checkpoint) {
    if (!claims.contains(tensor.name)) append(kind.extra, tensor.name);
  }
  const std::string foreign = foreign_title(checkpoint);
  kind.title = foreign.empty() ? title_of(kind.whole) : foreign;
  kind.known = foreign.empty() && !kind.whole.empty();
  return kind;
}

}  // namespace lapis::core
