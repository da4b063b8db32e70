#include "core/model_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/families.hpp"
#include "core/job_limits.hpp"
#include "core/resolve_sampling.hpp"
#include "core/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse(const Model& model, const std::string& text) {
  throw Error(ErrorKind::model, (model.folder / "model.json").string() + ": " + text);
}

void refuse_problem(const Model& model, std::string_view where, const std::optional<std::string>& problem) {
  if (problem) refuse(model, std::string(where) + ": " + *problem);
}

template <typename Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

std::string space_text(const Space& space) {
  return space.id + " (" + std::to_string(space.channels) + " channels, downscale " + std::to_string(space.downscale) +
         ", scale " + number_text(space.scale) + ", shift " + number_text(space.shift) + ")";
}

std::string shape_text(const std::vector<Dimension>& shape) {
  std::string text = "[";
  for (const Dimension& dimension : shape) {
    if (text.size() > 1) text += ", ";
    const auto* number = std::get_if<std::int64_t>(&dimension);
    text += number != nullptr ? std::to_string(*number) : std::get<std::string>(dimension);
  }
  return text + "]";
}

std::string port_text(const Port& port) { return port.name + " " + port.dtype + " " + shape_text(port.shape); }

std::string ports_text(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) text += (text.empty() ? "" : ", ") + port_text(port);
  return text.empty() ? "none" : text;
}

const FamilyRow& checked_family(const Model& model) {
  if (const FamilyRow* family = find_family(model.family)) return *family;
  const std::vector<std::string> names = names_of(families());
  refuse(model, "unknown family \"" + model.family + "\"; this lapis knows " + listed(names) + "." +
                    did_you_mean(model.family, names));
}

void check_space(const Model& model, const FamilyRow& family) {
  Space expected = *find_space(family.space);
  expected.lineage = model.space.lineage;
  if (model.space != expected) {
    refuse(model, "space is " + space_text(model.space) + "; family " + family.name + " has " + space_text(expected));
  }
  if (model.space.lineage.empty()) refuse(model, "space: lineage is empty; name the training the VAE comes from");
}

bool same_port(const Port& found, const Port& expected) {
  if (found.name != expected.name || found.dtype != expected.dtype) return false;
  return std::equal(
      found.shape.begin(), found.shape.end(), expected.shape.begin(), expected.shape.end(),
      [](const Dimension& a, const Dimension& b) { return std::holds_alternative<std::string>(b) || a == b; });
}

void check_ports(const Model& model, const std::string& where, const std::vector<Port>& found,
                 const std::vector<Port>& expected) {
  if (std::equal(found.begin(), found.end(), expected.begin(), expected.end(), same_port)) return;
  refuse(model, where + ": expected " + ports_text(expected) + "; found " + ports_text(found));
}

void check_parts(const Model& model, const FamilyRow& family) {
  for (const auto& [name, part] : model.parts) {
    const PartRow* row = find_part(family, name);
    if (row == nullptr) {
      const std::vector<std::string> names = names_of(family.parts);
      refuse(model, "unknown part \"" + name + "\"; family " + family.name + " has " + listed(names) + "." +
                        did_you_mean(name, names));
    }
    check_ports(model, "parts/" + name + "/inputs", part.inputs, row->inputs);
    check_ports(model, "parts/" + name + "/outputs", part.outputs, row->outputs);
  }
  for (const PartRow& row : family.parts) {
    if (row.required && !model.parts.contains(row.name)) {
      refuse(model, "part \"" + row.name + "\" is missing; family " + family.name + " needs it");
    }
  }
}

/// The dimension of an input or output of a part; none where it is free or the part is not there.
std::optional<std::int64_t> fixed_size(const Model& model, const std::string& part_name, const std::string& port_name,
                                       std::size_t index) {
  const auto part = model.parts.find(part_name);
  if (part == model.parts.end()) return std::nullopt;
  for (const auto* ports : {&part->second.inputs, &part->second.outputs}) {
    for (const Port& port : *ports) {
      if (port.name != port_name || index >= port.shape.size()) continue;
      const auto* number = std::get_if<std::int64_t>(&port.shape[index]);
      return number != nullptr ? std::optional(*number) : std::nullopt;
    }
  }
  return std::nullopt;
}

void check_shared_sizes(const Model& model, const FamilyRow& family) {
  for (const SharedSize& shared : family.shared_sizes) {
    const auto size = fixed_size(model, shared.part, shared.port, shared.index);
    const auto other = fixed_size(model, shared.other_part, shared.other_port, shared.other_index);
    if (!size || !other || *size == *other) continue;
    refuse(model, "parts " + shared.part + " and " + shared.other_part + " do not fit: " + shared.port + " is " +
                      std::to_string(*size) + " wide, " + shared.other_port + " is " + std::to_string(*other) +
                      "; take both from one checkpoint");
  }
}

void check_tokenizers(const Model& model, const FamilyRow& family) {
  for (const std::string& name : family.tokenizers) {
    if (!model.tokenizers.contains(name)) {
      refuse(model, "tokenizer \"" + name + "\" is missing; family " + family.name + " needs it");
    }
  }
  for (const auto& [name, facts] : model.tokenizers) {
    const auto& known = family.tokenizers;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      refuse(model, "unknown tokenizer \"" + name + "\"; family " + family.name + " has " + listed(known) + "." +
                        did_you_mean(name, known));
    }
    const std::string where = "tokenizers/" + name;
    refuse_problem(model, where, limit_problem("length", facts.length, {3, 4096}));
    for (const int id : {facts.start, facts.end, facts.pad}) {
      refuse_problem(model, where, limit_problem("a special id", id, {0, 1 << 24}));
    }
  }
}

void check_sampling(const Model& model, const FamilyRow& family) {
  const SamplingFacts& facts = model.sampling;
  const auto& allowed = family.predictions;
  if (std::find(allowed.begin(), allowed.end(), facts.prediction) == allowed.end()) {
    refuse(model, "sampling: family " + family.name + " does not predict this");
  }
  refuse_problem(model, "sampling", limit_problem("train_steps", facts.train_steps, {1, 100000}));
  const bool rising = facts.beta_start > 0 && facts.beta_start <= facts.beta_end && facts.beta_end < 1;
  if (!rising) {
    refuse(model, "sampling: beta_start is " + number_text(facts.beta_start) + " and beta_end is " +
                      number_text(facts.beta_end) + "; expected 0 < beta_start <= beta_end < 1");
  }
  const Limits offsets = {0, static_cast<double>(facts.train_steps - 1)};
  refuse_problem(model, "sampling", limit_problem("steps_offset", facts.steps_offset, offsets));
}

void check_defaults(const Model& model, const FamilyRow& family) {
  const Defaults& defaults = model.defaults;
  const Limits steps = {step_limits.lowest, std::min<double>(step_limits.highest, model.sampling.train_steps)};
  const std::array<std::optional<std::string>, 4> problems = {
      side_problem("width", defaults.width, family.size_multiple),
      side_problem("height", defaults.height, family.size_multiple),
      limit_problem("steps", defaults.steps, steps),
      limit_problem("guidance", defaults.guidance, guidance_limits),
  };
  for (const auto& problem : problems) refuse_problem(model, "defaults", problem);
  refuse_problem(model, "defaults", sampling_defaults_problem(model));
}

}  // namespace

void check_model(const Model& model) {
  const FamilyRow& family = checked_family(model);
  check_space(model, family);
  check_parts(model, family);
  check_shared_sizes(model, family);
  check_tokenizers(model, family);
  check_sampling(model, family);
  check_defaults(model, family);
}

}  // namespace lapis::core
