#include "core/checkpoint/lora_kinds.hpp"

#include <algorithm>
#include <array>

#include "core/checkpoint/lora_keys.hpp"
#include "core/checkpoint/lora_shapes.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"

namespace lapis::core {
namespace {

/// A way of training layers that lapis does not apply, and what marks its tensors' names.
struct LoraKind {
  std::string_view mark;   ///< ".oft_R": to the end of the name or to a dot; ".boft_": anything may follow
  std::string_view title;  ///< "OFT"
};

// Endings of LyCORIS and kohya first, peft's after them: its names begin with the type, whose title stands once.
constexpr std::array lora_kinds = {
    LoraKind{".oft_blocks", "OFT"},
    LoraKind{".oft_diag", "OFT"},
    LoraKind{".a1.weight", "GLoRA"},
    LoraKind{".a2.weight", "GLoRA"},
    LoraKind{".b1.weight", "GLoRA"},
    LoraKind{".b2.weight", "GLoRA"},
    LoraKind{".on_input", "IA3"},
    LoraKind{".lambda_layer", "T-LoRA"},
    LoraKind{".reshape_weight", "LoRA of a layer that changes its shape"},
    LoraKind{".set_weight", "LoRA with whole weights"},
    LoraKind{".lora_A.bias", "LoRA with a bias between its factors"},
    LoraKind{".lora_E", "AdaLoRA"},
    LoraKind{".ranknum", "AdaLoRA"},
    LoraKind{".lora_embedding_A", "LoRA of an embedding table"},
    LoraKind{".lora_embedding_B", "LoRA of an embedding table"},
    LoraKind{".lora_diag", "KaSA"},
    LoraKind{".lora_arrow", "Arrow"},
    LoraKind{".adamss_", "AdaMSS"},
    LoraKind{".adaption_prompt_", "adaption prompt"},
    LoraKind{".adaption_prompt", "adaption prompt"},
    LoraKind{".beft_", "BEFT"},
    LoraKind{".boft_", "BOFT"},
    LoraKind{".bone_", "Bone"},
    LoraKind{".c3a_", "C3A"},
    LoraKind{".cartridge_", "cartridge"},
    LoraKind{".cpt_", "CPT"},
    LoraKind{".deft_", "DEFT"},
    LoraKind{".delora_", "DeLoRA"},
    LoraKind{".fourierft_", "FourierFT"},
    LoraKind{".frod_", "FRoD"},
    LoraKind{".glora_", "GLoRA"},
    LoraKind{".gralora_", "GraLoRA"},
    LoraKind{".hira_", "HiRA"},
    LoraKind{".hra_", "HRA"},
    LoraKind{".ia3_", "IA3"},
    LoraKind{".lily_", "Lily"},
    LoraKind{".ln_tuning_", "LayerNorm tuning"},
    LoraKind{".miss_", "MiSS"},
    LoraKind{".multitask_prompt_tuning_", "multitask prompt tuning"},
    LoraKind{".oft_", "OFT"},
    LoraKind{".osf_", "OSF"},
    LoraKind{".p_tuning_", "p-tuning"},
    LoraKind{".peanut_", "PEANuT"},
    LoraKind{".poly_", "Poly"},
    LoraKind{".prefix_tuning_", "prefix tuning"},
    LoraKind{".prompt_embeddings", "prompt tuning"},
    LoraKind{".prompt_tuning_", "prompt tuning"},
    LoraKind{".psoft_", "PSOFT"},
    LoraKind{".pvera_", "PVeRA"},
    LoraKind{".randlora_", "RandLoRA"},
    LoraKind{".road_", "RoAd"},
    LoraKind{".shadow_", "Shadow"},
    LoraKind{".shira_", "SHiRA"},
    LoraKind{".supertuning_", "SuperTuning"},
    LoraKind{".tinylora_", "TinyLoRA"},
    LoraKind{".trainable_tokens_", "trainable tokens"},
    LoraKind{".unilora_", "UniLoRA"},
    LoraKind{".vblora_", "VB-LoRA"},
    LoraKind{".vera_", "VeRA"},
    LoraKind{".waveft_", "WaveFT"},
    LoraKind{".xlora_", "X-LoRA"},
    LoraKind{".internal_xlora_classifier", "X-LoRA"},
};

bool has_mark(std::string_view name, std::string_view mark) {
  const bool open = mark.ends_with('_');
  for (std::size_t at = name.find(mark); at != std::string_view::npos; at = name.find(mark, at + 1)) {
    const std::string_view rest = name.substr(at + mark.size());
    if (open || rest.empty() || rest.front() == '.') return true;
  }
  return false;
}

struct FirstLayer {
  std::string_view ending;  ///< of its module, with '_' for '.'
  std::int64_t places;      ///< of its kernel
  std::int64_t usual;       ///< how many numbers it reads at one of them
  std::int64_t rows;        ///< and makes of all
};

constexpr std::array first_layers = {FirstLayer{"img_in", 1, 64, 3072}, FirstLayer{"img_in_proj", 1, 64, 3072},
                                     FirstLayer{"x_embedder", 1, 64, 3072}, FirstLayer{"conv_in", 9, 4, 320},
                                     FirstLayer{"input_blocks_0_0", 9, 4, 320}};

struct Width {
  std::int64_t width;
  std::string_view title;
};

/// Widths of the text that a UNet's cross-attention reads, and whose UNet has them.
constexpr std::array widths = {Width{768, "Stable Diffusion 1.x"}, Width{1024, "Stable Diffusion 2"},
                               Width{2048, "Stable Diffusion XL"}, Width{1280, "the Stable Diffusion XL refiner"}};

struct NameMark {
  std::string_view text;  ///< with '_' for '.'
  std::string_view title;
};

constexpr std::array name_marks = {
    NameMark{"joint_blocks_", "Stable Diffusion 3"},
    NameMark{"double_blocks_", "FLUX.1"},
    NameMark{"single_blocks_", "FLUX.1"},
    NameMark{"single_transformer_blocks_", "FLUX.1"},
    NameMark{"diffusion_model_blocks_0_cross_attn", "Wan"},
    NameMark{"lora_te3_", "a model with T5"},
};

std::string underscored(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace

std::optional<ForeignLora> foreign_lora(std::span<const TensorShape> tensors) {
  for (const TensorShape& tensor : tensors) {
    // peft's tensors of a whole adapter stand behind "base_model." or alone.
    const std::string name = "." + tensor.name;
    const auto row = std::ranges::find_if(lora_kinds, [&](const LoraKind& kind) { return has_mark(name, kind.mark); });
    if (row == lora_kinds.end()) continue;
    const bool boft = row->mark == ".oft_blocks" && tensor.shape.size() == 4;
    return ForeignLora{std::string(boft ? "BOFT" : row->title), tensor.name};
  }
  return std::nullopt;
}

std::string foreign_peft_type(std::string_view peft_type) {
  if (peft_type == "LORA" || peft_type == "LOHA" || peft_type == "LOKR") return "";
  const std::string mark = "." + lower_ascii(peft_type) + "_";
  const auto row = std::ranges::find(lora_kinds, mark, &LoraKind::mark);
  if (row != lora_kinds.end()) return std::string(row->title);
  return peft_type == "ADALORA" ? "AdaLoRA" : std::string(peft_type);
}

std::optional<ControlLayer> control_layer(std::span<const TensorShape> tensors) {
  std::optional<ControlLayer> found;
  std::int64_t published = 0;
  for (const TensorShape& tensor : tensors) {
    const std::optional<LoraKey> key = read_lora_key(tensor.name);
    if (!key || key->role != "down" || tensor.shape.size() < 2) continue;
    const std::string module = "_" + underscored(key->module);
    for (const FirstLayer& layer : first_layers) {
      const std::int64_t columns = tensor.shape[0] == 0 ? 0 : count_of(tensor.shape) / tensor.shape[0];
      if (!module.ends_with("_" + std::string(layer.ending)) || columns <= layer.usual * layer.places) continue;
      found = {key->module, columns / layer.places, layer.usual, 0, false};
      published = layer.rows;
    }
  }
  if (!found) return std::nullopt;
  for (const TensorShape& tensor : tensors) {
    if (read_lora_key(tensor.name) != LoraKey{found->module, "up"} || tensor.shape.empty()) continue;
    found->rows = tensor.shape[0];
    found->published = found->rows == published;
  }
  return found;
}

std::string lora_title(std::span<const TensorShape> tensors) {
  for (const TensorShape& tensor : tensors) {
    const std::string name = underscored(tensor.name);
    for (const NameMark& mark : name_marks) {
      if (name.find(mark.text) != std::string::npos) return std::string(mark.title);
    }
  }
  for (const TensorShape& tensor : tensors) {
    const std::optional<LoraKey> key = read_lora_key(tensor.name);
    if (!key || tensor.shape.size() < 2 || (key->role != "down" && key->role != "hada_w1_b")) continue;
    const std::string module = underscored(modern_module(key->module));
    if (!module.ends_with("attn2_to_k") && !module.ends_with("attn2_to_v")) continue;
    const std::int64_t width = tensor.shape[1];
    const auto row = std::ranges::find(widths, width, &Width::width);
    return row != widths.end() ? std::string(row->title) : sentence("a UNet that reads text of width {}", width);
  }
  return "";
}

}  // namespace lapis::core
