#include "core/checkpoint/lora_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>

#include "core/checkpoint/known_relatives.hpp"
#include "core/checkpoint/lora_keys.hpp"
#include "core/checkpoint/lora_kinds.hpp"
#include "core/checkpoint/lora_shapes.hpp"
#include "core/checkpoint/lora_targets.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::uint64_t most_steps = 20'000'000;  ///< of expressions in peft's configuration: a tenth of a second

struct LeftOutRow {
  LeftOut reason;
  std::string_view text;
};

constexpr std::array left_out_rows = {
    LeftOutRow{LeftOut::no_module, "for nothing in this model"},
    LeftOutRow{LeftOut::no_name, "of a name that lapis does not know in a LoRA"},
    LeftOutRow{LeftOut::no_bias, "for a bias of a layer that has none in this model"},
    LeftOutRow{LeftOut::twice, "for a weight that other tensors of the file are for"},
    LeftOutRow{LeftOut::beside, "beside other factors of the same layer"},
    LeftOutRow{LeftOut::bundled, "of an embedding, which {embeddings} reads from a file of its own"},
};

/// Levels of names behind which peft keeps a model's own layers, trained or as they were: its loader puts them in
/// place.
constexpr std::array<std::string_view, 3> whole_levels = {".modules_to_save.", ".base_layer.", ".original_module."};

constexpr std::string_view kinds_advice =
    "Name the safetensors file of a LoRA, LoHa, LoKr, DoRA or of whole differences";

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
    check_kind();
    group();
    check_below_factors();
    check_control();
    check_names();
    for (const auto& [module, tensors] : groups_) place(module, tensors);
    if (taken_.empty()) refuse_stranger();
    return std::move(plan_);
  }

 private:
  void leave_out(LeftOut reason, const std::string& tensor) { append(plan_.left_out[reason], tensor); }

  void group() {
    for (const TensorShape& tensor : file_.tensors) {
      const std::optional<LoraKey> key = read_lora_key(tensor.name);
      if (key) {
        const bool is_new = groups_[key->module].emplace(key->role, &tensor).second;
        if (!is_new) leave_out(LeftOut::twice, tensor.name);
      } else if (tensor.name.starts_with("bundle_emb.")) {
        leave_out(LeftOut::bundled, tensor.name);
      } else {
        nameless_.push_back(&tensor);
      }
    }
  }

  /// Refuses a tensor below a factor's name that is no factor: it says what the factor's numbers mean.
  void check_below_factors() const {
    constexpr std::string_view weight = ".weight";
    std::set<std::string_view> factors;
    for (const TensorShape& tensor : file_.tensors) {
      std::string_view name = tensor.name;
      const std::optional<LoraKey> key = read_lora_key(name);
      if (!key || key->role == "alpha") continue;
      if (name.ends_with(weight)) name.remove_suffix(weight.size());
      factors.insert(name);
    }
    for (const TensorShape& tensor : file_.tensors) {
      const std::string_view name = tensor.name;
      const std::optional<LoraKey> key = read_lora_key(name);
      if (key && key->role == "up_bias") continue;
      for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0;
           dot = name.rfind('.', dot - 1)) {
        if (factors.contains(name.substr(0, dot)) && name.substr(dot) != weight)
          refuse_below_factor(tensor, name.substr(0, dot));
      }
    }
  }

  void check_names() {
    for (const TensorShape* tensor : nameless_) {
      if (!groups_.empty() && is_whole(tensor->name)) refuse_whole(*tensor);
      leave_out(LeftOut::no_name, tensor->name);
    }
  }

  /// Whether a checkpoint of the model would have this tensor, or peft keeps such ones by a name like it.
  bool is_whole(std::string_view name) const {
    const auto has = [&](std::string_view level) { return name.find(level) != std::string_view::npos; };
    if (std::ranges::any_of(whole_levels, has)) return true;
    for (const LoraPrefix& row : lora_prefixes()) {
      if (!name.starts_with(row.prefix)) continue;
      const std::string_view tensor = name.substr(row.prefix.size());
      for (std::size_t i = 0; i < model_.parts.size(); ++i) {
        const bool fits = row.part.empty() || row.part == model_.parts[i].name;
        if (fits && targets_[i].names(tensor, row.underscored)) return true;
      }
    }
    return false;
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
    if (lead.weight == nullptr) {
      for (const auto& [role, tensor] : tensors) leave_out(LeftOut::no_module, tensor->name);
      return;
    }
    LoraTensors left = tensors;
    const std::optional<LoraFactors> factors = lora_factors(tensors);
    if (factors && factors->kind == DeltaKind::lora) check_promised(module, tensors);
    for (const char* role : {"diff_b", "up_bias"}) {
      const auto bias = tensors.find(role);
      if (bias == tensors.end()) continue;
      left.erase(role);
      if (lead.bias == nullptr) {
        leave_out(LeftOut::no_bias, bias->second->name);
      } else if (!is_first(lead, *lead.bias)) {
        leave_out(LeftOut::twice, bias->second->name);
      } else {
        // peft's second factor brings its bias, which its scale holds for; a difference is what it is.
        const bool scaled = factors && bias->first == "up_bias";
        const double scale = scaled ? scale_of(module, *factors, product_of(*factors, file_.name + ": " + module)) : 1;
        add(module, lead, *lead.bias, {DeltaKind::full, {{"diff", bias->second}}}, scale);
      }
    }
    if (factors) add_factors(module, lead, *factors, left);
    for (const auto& [role, tensor] : left) leave_out(LeftOut::beside, tensor->name);
  }

  void add_factors(const std::string& module, const Lead& lead, const LoraFactors& factors, LoraTensors& left) {
    left.erase("alpha");
    const bool first = is_first(lead, *lead.weight);
    for (const auto& [role, tensor] : factors.tensors) {
      left.erase(role);
      if (!first) leave_out(LeftOut::twice, tensor->name);
    }
    if (!first) return;
    const LoraProduct product = product_of(factors, file_.name + ": " + module);
    add(module, lead, *lead.weight, factors, scale_of(module, factors, product));
  }

  /// Some files hold a module twice, under the names of two trainers: the first counts.
  bool is_first(const Lead& lead, const LoraModule& module) {
    const auto taken = [&](const LoraTarget& target) { return taken_.contains({lead.part, target.parameter}); };
    if (std::ranges::any_of(module.targets, taken)) return false;
    for (const LoraTarget& target : module.targets) taken_.emplace(lead.part, target.parameter);
    return true;
  }

  void add(const std::string& name, const Lead& lead, const LoraModule& module, const LoraFactors& factors,
           double scale) {
    const LoraProduct product = product_of(factors, file_.name + ": " + name);
    check_fits(name, *lead.part, module, product);
    check_magnitude(name, module, factors);
    const double share = lead.part->name == "denoiser" ? weight_.denoiser : weight_.text_encoder;
    if (share == 0) return;
    Delta delta;
    delta.kind = factors.kind;
    delta.scale = share * scale;
    for (const auto& [role, tensor] : factors.tensors) delta.tensors[role] = tensor->name;
    for (const LoraTarget& target : module.targets) {
      delta.parameter = target.parameter;
      delta.rows.clear();
      for (const RowRange& range : target.rows) delta.rows.emplace_back(range.first, range.count);
      plan_.deltas.emplace_back(lead.part->name, delta);
    }
  }

  double scale_of(const std::string& name, const LoraFactors& factors, const LoraProduct& product) {
    if (factors.kind == DeltaKind::full) return 1;
    auto alpha = file_.alphas.find(name + ".alpha");
    if (alpha == file_.alphas.end()) alpha = file_.alphas.find(name + "_lora.alpha");
    if (alpha != file_.alphas.end()) {
      return product.rank ? alpha->second / static_cast<double>(*product.rank) : 1;  // LyCORIS' of undecomposed factors
    }
    const PeftScale* scale = find_scale(name);
    return scale == nullptr ? 1 : scale_by(*scale, *module_below(name, scale->part), name, product);
  }

  /// What peft's configuration says of a module; null where it says nothing.
  const PeftScale* find_scale(const std::string& name) const {
    const auto found = std::ranges::find_if(
        file_.scales, [&](const PeftScale& each) { return module_below(name, each.part).has_value(); });
    return found == file_.scales.end() ? nullptr : &*found;
  }

  /// Refuses a layer without what the configuration says that every layer has.
  void check_promised(const std::string& name, const LoraTensors& tensors) const {
    const PeftScale* scale = find_scale(name);
    if (scale == nullptr) return;
    const bool magnitude = tensors.contains("magnitude") || tensors.contains("dora_scale");
    const bool bias = tensors.contains("up_bias") || tensors.contains("diff_b");
    std::string lacks;
    if (scale->bias && !bias) lacks = "lora_bias, and there is no lora_B.bias";
    if (scale->dora && !magnitude) lacks = "use_dora, and there is no lora_magnitude_vector";
    if (lacks.empty()) return;
    throw Error(ErrorKind::input, sentence("{}: its configuration says {} of {}.", file_.name, lacks, name),
                "It was written without what was trained: take another export of it, or correct the configuration");
  }

  /// A module's name as a part of peft's configuration has it; none where it is of another part.
  static std::optional<std::string_view> module_below(std::string_view name, const std::string& part) {
    constexpr std::string_view base = "base_model.model.";
    if (name.starts_with(base)) name.remove_prefix(base.size());
    const std::string lead = part.empty() ? "" : part + ".";
    if (!name.starts_with(lead)) return std::nullopt;
    return name.substr(lead.size());
  }

  double scale_by(const PeftScale& scale, std::string_view module, const std::string& name,
                  const LoraProduct& product) {
    std::optional<double> rank;
    double alpha = scale.alpha;
    try {
      rank = scale.ranks.find(module, steps_);
      alpha = scale.alphas.find(module, steps_).value_or(alpha);
    } catch (const Error& error) {
      throw Error(
          error.kind(),
          sentence("{}: a pattern of peft's configuration {} for {}.", file_.name, error.marked_problem(), name),
          "Write it with the modules' own names");
    }
    if (!rank && scale.rank) rank = static_cast<double>(*scale.rank);
    const auto found = static_cast<double>(product.rank.value_or(0));
    if (rank && product.rank && *rank != found) {
      throw Error(ErrorKind::input,
                  sentence("{}: {} is of rank {}, and its configuration says {}, which sets its strength.", file_.name,
                           name, *product.rank, static_cast<std::int64_t>(*rank)),
                  "Correct r or rank_pattern, or leave the configuration out");
    }
    const double divisor = product.rank ? found : rank.value_or(1);
    return alpha / (scale.by_root ? std::sqrt(divisor) : divisor);
  }

  std::string what() const {
    const std::string title = lora_title(file_.tensors);
    return title.empty()
               ? sentence("{} does not fit {}, of family {}", file_.name, model_.name, model_.family)
               : sentence("{} is a LoRA for {}; {} is of family {}", file_.name, title, model_.name, model_.family);
  }

  void check_fits(const std::string& name, const LoraPart& part, const LoraModule& module,
                  const LoraProduct& product) const {
    const std::int64_t rows = module.shape[0];
    const std::int64_t columns = count_of(module.shape) / rows;
    if (product.rows == rows && product.columns == columns) return;
    throw Error(ErrorKind::incompatible,
                sentence("{}: {} makes [{}, {}], and {} of its {} wants [{}, {}].", what(), name, product.rows,
                         product.columns, module.targets.front().parameter, part.name, rows, columns),
                sentence("Take a LoRA made for a model of {}'s architecture, or its model with {-model}", model_.name));
  }

  void check_magnitude(const std::string& name, const LoraModule& module, const LoraFactors& factors) const {
    for (const auto& [role, tensor] : factors.tensors) {
      if (role != "dora_scale" && role != "magnitude") continue;
      const std::int64_t count = count_of(tensor->shape);
      const bool by_row = role == "magnitude" || tensor->shape.front() != 1 || count == 1;
      if (by_row ? count == module.shape[0] : module.shape.size() > 1 && count == module.shape[1]) {
        if (by_row || module.targets.size() == 1) continue;
        throw Error(ErrorKind::incompatible,
                    sentence("{}: {} is DoRA by columns of a layer that is several in {}, which cannot be split.",
                             file_.name, name, model_.name),
                    "Train it by rows, or without DoRA");
      }
      throw Error(ErrorKind::incompatible,
                  sentence("{}: {} is {}; expected {} numbers, one for each row.", what(), tensor->name,
                           shape_text(tensor->shape), module.shape[0]),
                  "Take a LoRA made for a model like it");
    }
  }

  void check_kind() const {
    const std::optional<ForeignLora> foreign = foreign_lora(file_.tensors);
    if (!foreign) return;
    throw Error(
        ErrorKind::input,
        sentence("{} is of the kind {}, which lapis does not apply: {}.", file_.name, foreign->title, foreign->tensor),
        std::string(kinds_advice));
  }

  void check_control() const {
    const std::optional<ControlLayer> layer = control_layer(file_.tensors);
    if (!layer) return;
    const Lead lead = lead_of(layer->module);
    const bool alike = lead.weight != nullptr && lead.weight->shape[0] == layer->rows;
    if (!(alike || layer->published) || (alike && lead.weight->shape[1] == layer->reads)) return;
    const std::string title = lora_title(file_.tensors);
    const std::string kind = title.empty() ? "a control LoRA" : sentence("a control LoRA for {}", title);
    throw Error(ErrorKind::incompatible,
                sentence("{} is {}: its first layer, {}, reads {} numbers at a place and the model's {}, for a second "
                         "picture beside the latent, which lapis does not give.",
                         file_.name, kind, layer->module, layer->reads, alike ? lead.weight->shape[1] : layer->usual),
                "Take a LoRA of style or subject");
  }

  [[noreturn]] void refuse_below_factor(const TensorShape& tensor, std::string_view factor) const {
    throw Error(ErrorKind::input,
                sentence("{}: the tensor {} tells of the factor {} what lapis does not know; without it the factor's "
                         "numbers may mean something else.",
                         file_.name, tensor.name, factor),
                "Take the LoRA in fp16, bf16 or fp32");
  }

  [[noreturn]] void refuse_whole(const TensorShape& tensor) const {
    throw Error(ErrorKind::input,
                sentence("{} has whole weights beside its factors, which lapis does not put in place of the model's: "
                         "{}.",
                         file_.name, tensor.name),
                "Save the LoRA without them (peft: modules_to_save, bias)");
  }

  [[noreturn]] void refuse_graph(const LoraPart& part) const {
    throw Error(ErrorKind::incompatible,
                sentence("{} is for the {}, which {} keeps in its graph: no LoRA can be added to it.", file_.name,
                         part.name, model_.name),
                "Export the model with its weights beside the graph: scripts/export/model.py");
  }

  [[noreturn]] void refuse_stranger() const {
    const std::size_t count = file_.tensors.size();
    if (groups_.empty()) {
      const Relative* relative = find_relative(file_.tensors);
      const std::string likeness = relative == nullptr ? "" : sentence("; it looks like {}", relative->title);
      throw Error(ErrorKind::input,
                  sentence("{} is no LoRA: none of its {} tensors is called as one{}.", file_.name, count, likeness),
                  std::string(kinds_advice));
    }
    throw Error(ErrorKind::incompatible,
                sentence("{}: none of its {} tensors is for anything in it, as \"{}\".", what(), count,
                         file_.tensors.front().name),
                sentence("Take a LoRA made for family {}, or the model it was made for with {-model}", model_.family));
  }

  const LoraFile& file_;
  const LoraModel& model_;
  const LoraWeight& weight_;
  std::vector<LoraTargets> targets_;  ///< of each part of the model
  std::map<std::string, LoraTensors> groups_;
  std::vector<const TensorShape*> nameless_;
  LoraPlan plan_;
  std::uint64_t steps_ = most_steps;
  std::set<std::pair<const LoraPart*, std::string>> taken_;  ///< parameters that have got what is theirs
};

}  // namespace

std::string left_out_text(LeftOut reason) {
  return marked(std::ranges::find(left_out_rows, reason, &LeftOutRow::reason)->text);
}

LoraPlan plan_lora(const LoraFile& file, const LoraModel& model, const LoraWeight& weight) {
  return Planner(file, model, weight).plan();
}

}  // namespace lapis::core
