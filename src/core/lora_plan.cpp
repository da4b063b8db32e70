#include "core/lora_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>

#include "core/known_relatives.hpp"
#include "core/lora_keys.hpp"
#include "core/lora_shapes.hpp"
#include "core/lora_targets.hpp"
#include "core/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

/// Where a module of the file leads.
struct Lead {
  const LoraPart* part = nullptr;
  const LoraModule* weight = nullptr;
  const LoraModule* bias = nullptr;
};

class Planner {
 public:
  Planner(const LoraFile& file, const LoraModel& model, const LoraWeight& weight)
      : file_(file), model_(model), weight_(weight) {
    for (const LoraPart& part : model.parts) targets_.emplace_back(part.parameters);
  }

  LoraPlan plan() {
    group();
    for (const auto& [module, tensors] : groups_) place(module, tensors);
    if (taken_.empty()) refuse_stranger();
    return std::move(plan_);
  }

 private:
  void group() {
    for (const TensorShape& tensor : file_.tensors) {
      const std::optional<LoraKey> key = read_lora_key(tensor.name);
      const bool is_new = key && groups_[key->module].emplace(key->role, &tensor).second;
      if (!is_new) append(plan_.unknown, tensor.name);
    }
  }

  Lead lead_of(const std::string& name) const {
    for (const LoraPrefix& row : lora_prefixes()) {
      if (!name.starts_with(row.prefix)) continue;
      std::string module = name.substr(row.prefix.size());
      if (!row.underscored) module = modern_module(std::move(module));
      for (std::size_t i = 0; i < model_.parts.size(); ++i) {
        const LoraPart& part = model_.parts[i];
        if (!row.part.empty() && row.part != part.name) continue;
        if (part.parameters.empty() && !row.part.empty()) refuse_graph(part);
        const Lead lead{&part, targets_[i].weight(module, row.underscored), targets_[i].bias(module, row.underscored)};
        if (lead.weight != nullptr) return lead;
      }
    }
    return {};
  }

  void place(const std::string& module, const LoraTensors& tensors) {
    const Lead lead = lead_of(module);
    LoraTensors left = tensors;
    const auto add_to = [&](const LoraModule* target, const LoraFactors& factors, std::span<const std::string> used) {
      if (target == nullptr || !is_first(lead, *target)) return;
      add(module, lead, *target, factors);
      for (const std::string& role : used) left.erase(role);
    };
    if (const auto bias = tensors.find("diff_b"); bias != tensors.end()) {
      add_to(lead.bias, {DeltaKind::full, {{"diff", bias->second}}}, std::array{bias->first});
    }
    if (const std::optional<LoraFactors> factors = lora_factors(tensors)) {
      std::vector<std::string> used = {"alpha"};
      for (const auto& [role, tensor] : factors->tensors) used.push_back(role);
      add_to(lead.weight, *factors, used);
    }
    for (const auto& [role, tensor] : left) append(plan_.unknown, tensor->name);
  }

  /// Some files hold a module twice, under the names of two trainers: the first counts.
  bool is_first(const Lead& lead, const LoraModule& module) {
    const auto taken = [&](const LoraTarget& target) { return taken_.contains({lead.part, target.parameter}); };
    if (std::ranges::any_of(module.targets, taken)) return false;
    for (const LoraTarget& target : module.targets) taken_.emplace(lead.part, target.parameter);
    return true;
  }

  void add(const std::string& name, const Lead& lead, const LoraModule& module, const LoraFactors& factors) {
    const LoraProduct product = product_of(factors, file_.name + ": " + name);
    check_fits(name, *lead.part, module, product);
    check_magnitude(name, module, factors);
    const double share = lead.part->name == "denoiser" ? weight_.denoiser : weight_.text_encoder;
    if (share == 0) return;
    Delta delta;
    delta.kind = factors.kind;
    delta.scale = share * scale_of(name, factors, product);
    for (const auto& [role, tensor] : factors.tensors) delta.tensors[role] = tensor->name;
    for (const LoraTarget& target : module.targets) {
      delta.parameter = target.parameter;
      delta.rows.clear();
      for (const RowRange& range : target.rows) delta.rows.emplace_back(range.first, range.count);
      plan_.deltas.emplace_back(lead.part->name, delta);
    }
  }

  double scale_of(const std::string& name, const LoraFactors& factors, const LoraProduct& product) const {
    if (factors.kind == DeltaKind::full) return 1;
    auto alpha = file_.alphas.find(name + ".alpha");
    if (alpha == file_.alphas.end()) alpha = file_.alphas.find(name + "_lora.alpha");
    if (alpha != file_.alphas.end()) {
      return product.rank ? alpha->second / static_cast<double>(*product.rank) : 1;  // LyCORIS' of undecomposed factors
    }
    for (const PeftScale& scale : file_.scales) {
      const std::size_t at = scale.part.empty() ? 0 : name.find(scale.part + ".");
      if (at != 0 && !name.starts_with("base_model.model." + scale.part + ".")) continue;
      const std::optional<std::int64_t> rank = product.rank ? product.rank : scale.rank;
      if (!rank) continue;
      double value = scale.alpha;
      for (const auto& [module, own] : scale.alphas) {
        if (name == module || name.ends_with("." + module)) value = own;
      }
      const auto divisor = static_cast<double>(*rank);
      return value / (scale.by_root ? std::sqrt(divisor) : divisor);
    }
    return 1;
  }

  std::string what() const {
    const std::string title = lora_title(file_.tensors);
    return title.empty()
               ? file_.name + " does not fit " + model_.name + ", of family " + model_.family
               : file_.name + " is a LoRA for " + title + "; " + model_.name + " is of family " + model_.family;
  }

  void check_fits(const std::string& name, const LoraPart& part, const LoraModule& module,
                  const LoraProduct& product) const {
    const std::int64_t rows = module.shape[0];
    const std::int64_t columns = count_of(module.shape) / rows;
    if (product.rows == rows && product.columns == columns) return;
    throw Error(ErrorKind::incompatible, what() + ": " + name + " makes " +
                                             shape_text({product.rows, product.columns}) + ", and " +
                                             module.targets.front().parameter + " of its " + part.name + " wants " +
                                             shape_text({rows, columns}) + ".\nTake a LoRA made for a model of " +
                                             model_.name + "'s architecture, or its model with -m");
  }

  void check_magnitude(const std::string& name, const LoraModule& module, const LoraFactors& factors) const {
    for (const auto& [role, tensor] : factors.tensors) {
      if (role != "dora_scale" && role != "magnitude") continue;
      const std::int64_t count = count_of(tensor->shape);
      const bool by_row = role == "magnitude" || tensor->shape.front() != 1 || count == 1;
      if (by_row ? count == module.shape[0] : module.shape.size() > 1 && count == module.shape[1]) {
        if (by_row || module.targets.size() == 1) continue;
        throw Error(ErrorKind::incompatible, file_.name + ": " + name +
                                                 " is DoRA by columns of a layer that is several in " + model_.name +
                                                 ", which cannot be split.\nTrain it by rows, or without DoRA");
      }
      throw Error(ErrorKind::incompatible, what() + ": " + tensor->name + " is " + shape_text(tensor->shape) +
                                               "; expected " + std::to_string(module.shape[0]) +
                                               " numbers, one for each row.\nTake a LoRA made for a model like it");
    }
  }

  [[noreturn]] void refuse_graph(const LoraPart& part) const {
    throw Error(ErrorKind::incompatible, file_.name + " is for the " + part.name + ", which " + model_.name +
                                             " keeps in its graph: no LoRA can be added to it.\nExport the model with "
                                             "its weights beside the graph: scripts/export_graphs.py");
  }

  [[noreturn]] void refuse_stranger() const {
    const std::string count = std::to_string(file_.tensors.size());
    if (groups_.empty()) {
      const Relative* relative = find_relative(file_.tensors);
      throw Error(ErrorKind::input, file_.name + " is no LoRA: none of its " + count + " tensors is called as one" +
                                        (relative == nullptr ? "" : "; it looks like " + std::string(relative->title)) +
                                        ".\nName the safetensors file of a LoRA, LoHa, LoKr or DoRA");
    }
    throw Error(ErrorKind::incompatible, what() + ": none of its " + count + " tensors is for anything in it, as " +
                                             listed(std::vector<std::string>(1, plan_.unknown.first.front())) +
                                             ".\nTake a LoRA made for family " + model_.family +
                                             ", or the model it was made for with -m");
  }

  const LoraFile& file_;
  const LoraModel& model_;
  const LoraWeight& weight_;
  std::vector<LoraTargets> targets_;  ///< of each part of the model
  std::map<std::string, LoraTensors> groups_;
  LoraPlan plan_;
  std::set<std::pair<const LoraPart*, std::string>> taken_;  ///< parameters that have got what is theirs
};

}  // namespace

LoraPlan plan_lora(const LoraFile& file, const LoraModel& model, const LoraWeight& weight) {
  return Planner(file, model, weight).plan();
}

// ---- titles ----

namespace {

struct Width {
  std::int64_t width;
  std::string_view title;
};

/// Of the text that a UNet's cross-attention reads.
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
    return row != widths.end() ? std::string(row->title) : "a UNet that reads text of width " + std::to_string(width);
  }
  return "";
}

}  // namespace lapis::core
