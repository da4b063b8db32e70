// What a LoRA's tensors come to for one model, from their names and shapes alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "core/checkpoint/peft_patterns.hpp"
#include "lapis/attachments.hpp"

namespace lapis::core {

/// What peft's configuration says of one part.
struct PeftScale {
  std::string part;  ///< "unet", "transformer", "text_encoder", "text_encoder_2"; "": of the whole file
  double alpha = 1;
  std::optional<std::int64_t> rank;
  PeftPatterns alphas{};  ///< of some modules, in place of `alpha`
  PeftPatterns ranks{};   ///< of some modules, in place of `rank`
  bool by_root = false;   ///< rsLoRA (Kalajdzievski 2023): divided by sqrt(rank)
  bool dora = false;      ///< every layer has a magnitude vector
  bool bias = false;      ///< every layer's second factor has a bias
};

/// A LoRA's file.
struct LoraFile {
  std::string name;  ///< as messages call it
  std::vector<TensorShape> tensors;
  std::map<std::string, double> alphas;  ///< what the tensors of role "alpha" say, by name
  std::vector<PeftScale> scales;
};

/// A part that a LoRA may be for.
struct LoraPart {
  std::string name;                     ///< "denoiser", "text_encoder", "text_encoder_2"
  std::vector<TensorShape> parameters;  ///< of its graph; none: it keeps its weights in the graph
};

/// The model a LoRA is for.
struct LoraModel {
  std::string name;
  std::string family;
  std::vector<LoraPart> parts;
};

/// How much of a LoRA counts.
struct LoraWeight {
  double text_encoder = 1;
  double denoiser = 1;
  bool operator==(const LoraWeight&) const = default;
};

/// Why a tensor is not added.
enum class LeftOut { no_module, no_name, no_bias, twice, beside, bundled };

/// "for nothing in this model", behind "is" or "are".
std::string left_out_text(LeftOut reason);

/// What a LoRA comes to.
struct LoraPlan {
  std::vector<std::pair<std::string, Delta>> deltas;  ///< with the part each is for; their `file` is the caller's
  std::map<LeftOut, Listing> left_out{};              ///< names of tensors
};

/// What `file` adds to the parameters of `model`, each scaled by w alpha / rank: alpha from the module's tensor
/// "alpha", else peft's configuration, else the rank. Parts whose weight is 0 get nothing. Throws Error{input} for a
/// LoRA that disagrees with itself (ranks, lacking halves, what its configuration promises), one of a kind that is not
/// applied, one with whole weights beside its factors, and one with tensors that tell of its factors what lapis does
/// not know; Error{incompatible} where a tensor does not fit the parameter of its name, for a control LoRA, where no
/// tensor is for a parameter, and where a part that it is for keeps its weights in its graph.
LoraPlan plan_lora(const LoraFile& file, const LoraModel& model, const LoraWeight& weight);

}  // namespace lapis::core
