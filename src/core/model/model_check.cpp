#include "core/model/model_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/job/resolve_sampling.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse(const Model& model, const std::string& text, const std::string& advice = "") {
  throw Error(ErrorKind::model, sentence("{}: {}", (model.folder / "model.json").string(), text), advice);
}

void refuse_problem(const Model& model, std::string_view where, const std::optional<std::string>& problem) {
  if (problem) refuse(model, sentence("{}: {}", where, *problem));
}

std::string space_text(const Space& space) { return sentence("{} ({})", space.id, space_numbers(space)); }

std::string port_text(const Port& port) {
  std::vector<std::string> sizes;
  for (const Dimension& dimension : port.shape) {
    const auto* number = std::get_if<std::int64_t>(&dimension);
    sizes.push_back(number != nullptr ? std::to_string(*number) : std::get<std::string>(dimension));
  }
  return sentence("{} {} [{}]", port.name, port.dtype, joined(sizes));
}

const FamilyRow& checked_family(const Model& model) {
  if (const FamilyRow* family = find_family(model.family)) return *family;
  const std::vector<std::string> names = row_names(families());
  refuse(model, sentence("unknown family \"{}\"; this lapis knows {}{}", model.family, listed(names),
                         guess(model.family, names)));
}

/// What to do about a space that is not the family's: it depends on whose numbers the space has.
std::string space_advice(const Space& found, const FamilyRow& family) {
  const std::vector<std::string> owners = spaces_with_numbers(found);
  if (std::find(owners.begin(), owners.end(), family.space) != owners.end()) {
    return sentence("The numbers are right: name the space {}", family.space);
  }
  if (owners.empty()) {
    return sentence("No space that lapis knows has these numbers: take a VAE of {}; {lapis list} spaces shows all",
                    family.space);
  }
  return sentence("These are the numbers of {}: take a VAE of {}, or name the family that this VAE belongs to",
                  listed(owners), family.space);
}

void check_space(const Model& model, const FamilyRow& family) {
  if (model.space.lineage.empty()) refuse(model, "space: lineage is empty; name the training the VAE comes from");
  Space expected = find_space(family.space)->space;
  expected.lineage = model.space.lineage;
  if (model.space == expected) return;
  refuse(model, sentence("space is {}; family {} has {}.", space_text(model.space), family.name, space_text(expected)),
         space_advice(model.space, family));
}

bool same_port(const Port& found, const Port& expected) {
  if (found.name != expected.name || found.dtype != expected.dtype) return false;
  // One number for the whole batch, as many exporters trace it: all rows of a batch stand at one time.
  if (found.name == "timestep" && found.shape.empty()) return true;
  return std::equal(
      found.shape.begin(), found.shape.end(), expected.shape.begin(), expected.shape.end(),
      [](const Dimension& a, const Dimension& b) { return std::holds_alternative<std::string>(b) || a == b; });
}

void check_ports(const Model& model, const std::string& where, const std::vector<Port>& found,
                 const std::vector<Port>& expected, const std::vector<Port>& optional = {}) {
  if (std::equal(found.begin(), found.end(), expected.begin(), expected.end(), same_port)) return;
  std::vector<Port> all = expected;
  all.insert(all.end(), optional.begin(), optional.end());
  if (std::equal(found.begin(), found.end(), all.begin(), all.end(), same_port)) return;
  const std::string perhaps = optional.empty() ? "" : sentence(" and perhaps {}", ports_text(optional));
  refuse(model, sentence("{}: expected {}{}; found {}", where, ports_text(expected), perhaps, ports_text(found)));
}

void check_parts(const Model& model, const FamilyRow& family) {
  for (const auto& [name, part] : model.parts) {
    const PartRow* row = find_part(family, name);
    if (row == nullptr) {
      const std::vector<std::string> names = row_names(family.parts);
      refuse(model,
             sentence("unknown part \"{}\"; family {} has {}{}", name, family.name, listed(names), guess(name, names)));
    }
    check_ports(model, "parts/" + name + "/inputs", part.inputs, row->inputs, row->optional_inputs);
    const auto gives = [&outputs = part.outputs](const std::vector<Port>& ports) {
      return std::equal(outputs.begin(), outputs.end(), ports.begin(), ports.end(), same_port);
    };
    const bool reduced = std::any_of(row->reduced_outputs.begin(), row->reduced_outputs.end(), gives);
    if (!reduced) check_ports(model, "parts/" + name + "/outputs", part.outputs, row->outputs);
  }
  for (const PartRow& row : family.parts) {
    if (row.required && !model.parts.contains(row.name)) {
      refuse(model, sentence("part \"{}\" is missing; family {} needs it", row.name, family.name));
    }
  }
}

/// A dimension's size; none where it is free or the part is not there.
std::optional<std::int64_t> fixed_size(const Model& model, const PortSize& place) {
  const auto part = model.parts.find(place.part);
  if (part == model.parts.end()) return std::nullopt;
  for (const auto* ports : {&part->second.inputs, &part->second.outputs}) {
    for (const Port& port : *ports) {
      if (port.name != place.port || place.index >= port.shape.size()) continue;
      const auto* number = std::get_if<std::int64_t>(&port.shape[place.index]);
      return number != nullptr ? std::optional(*number) : std::nullopt;
    }
  }
  return std::nullopt;
}

void check_shared_size(const Model& model, const SharedSize& shared) {
  std::int64_t sum = 0;
  std::vector<std::string> terms;
  for (const PortSize& term : shared.terms) {
    const auto size = fixed_size(model, term);
    if (!size) return;
    sum += *size;
    terms.push_back(sentence("{} of {} is {} wide", term.port, term.part, *size));
  }
  const auto size = fixed_size(model, shared.sum);
  if (!size || *size == sum) return;
  refuse(model, sentence("parts do not fit: {}, {} of {} is {}; take them from one checkpoint", joined(terms, " and "),
                         shared.sum.port, shared.sum.part, *size));
}

void check_tokenizer(const Model& model, const TokenizerRow& row, const TokenizerFacts& facts) {
  const std::string where = "tokenizers/" + row.name;
  if (facts.kind != row.kind) {
    refuse(model, sentence("{}: kind is \"{}\"; family {} has \"{}\" there", where, tokenizer_kind_name(facts.kind),
                           model.family, tokenizer_kind_name(row.kind)));
  }
  refuse_problem(model, where, limit_problem("length", facts.length, {3, 4096}));
  for (const int id : {facts.start, facts.end, facts.pad}) {
    refuse_problem(model, where, limit_problem("a special id", id, {0, 1 << 24}));
  }
}

void check_tokenizers(const Model& model, const FamilyRow& family) {
  for (const TokenizerRow& row : family.tokenizers) {
    const auto found = model.tokenizers.find(row.name);
    if (found == model.tokenizers.end()) {
      refuse(model, sentence("tokenizer \"{}\" is missing; family {} needs it", row.name, family.name));
    }
    check_tokenizer(model, row, found->second);
  }
  const std::vector<std::string> known = row_names(family.tokenizers);
  for (const auto& [name, facts] : model.tokenizers) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    refuse(model, sentence("unknown tokenizer \"{}\"; family {} has {}{}", name, family.name, listed(known),
                           guess(name, known)));
  }
}

void check_rope_axes(const Model& model) {
  const std::vector<int>& axes = model.conditioning.rope_axes;
  const bool even = std::all_of(axes.begin(), axes.end(), [](int axis) { return axis > 0 && axis % 2 == 0; });
  const std::string text = shape_text(std::vector<std::int64_t>(axes.begin(), axes.end()));
  if (axes.size() != 3 || !even) {
    refuse(model, sentence("conditioning: rope_axes is {}; family {} needs three even widths, for the axes (0, y, x) "
                           "of a position",
                           text, model.family));
  }
  const std::int64_t sum = std::accumulate(axes.begin(), axes.end(), std::int64_t{0});
  const auto width = fixed_size(model, {"denoiser", "rope_cos", 1});
  if (width && *width != sum) {
    refuse(model,
           sentence("conditioning: rope_axes {} add up to {}; rope_cos of the denoiser is {} wide", text, sum, *width));
  }
}

/// What each architecture's adapter reads of "conditioning".
void check_conditioning(const Model& model, const FamilyRow& family) {
  const Conditioning& facts = model.conditioning;
  if (family.architecture == Architecture::flux) {
    check_rope_axes(model);
  } else if (!facts.rope_axes.empty()) {
    refuse(model, sentence("conditioning: family {} has no rope_axes; take them out", family.name));
  }
  if (facts.zero_empty_negative && family.architecture != Architecture::sdxl) {
    refuse(model, sentence("conditioning: family {} has no zero_empty_negative; take it out", family.name));
  }
}

void check_flow_shift(const Model& model) {
  const FlowShift& shift = model.sampling.flow_shift;
  if (!shift.dynamic) {
    refuse_problem(model, "sampling/flow_shift", limit_problem("shift", shift.shift, {0.01, 100}));
    return;
  }
  for (const double value : {shift.base_shift, shift.max_shift}) {
    refuse_problem(model, "sampling/flow_shift", limit_problem("a shift", value, {-10, 10}));
  }
  if (shift.base_tokens < 1 || shift.base_tokens >= shift.max_tokens) {
    refuse(model, sentence("sampling/flow_shift: base_tokens is {} and max_tokens is {}; expected 1 <= base_tokens < "
                           "max_tokens",
                           shift.base_tokens, shift.max_tokens));
  }
}

void check_sampling(const Model& model, const FamilyRow& family) {
  const SamplingFacts& facts = model.sampling;
  const auto& allowed = family.predictions;
  if (std::find(allowed.begin(), allowed.end(), facts.prediction) == allowed.end()) {
    std::vector<std::string> names;
    for (const Prediction prediction : allowed) names.emplace_back(prediction_name(prediction));
    refuse(model, sentence("sampling: prediction is \"{}\"; family {} has {}", prediction_name(facts.prediction),
                           family.name, listed(names)));
  }
  refuse_problem(model, "sampling", limit_problem("train_steps", facts.train_steps, {1, 100000}));
  if (path_of(facts.prediction) == Path::flow) return check_flow_shift(model);
  const bool rising = facts.beta_start > 0 && facts.beta_start <= facts.beta_end && facts.beta_end < 1;
  if (!rising) {
    refuse(model, sentence("sampling: beta_start is {} and beta_end is {}; expected 0 < beta_start <= beta_end < 1",
                           number_text(facts.beta_start), number_text(facts.beta_end)));
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
  for (const SharedSize& shared : family.shared_sizes) check_shared_size(model, shared);
  check_tokenizers(model, family);
  check_conditioning(model, family);
  check_sampling(model, family);
  check_defaults(model, family);
}

std::string ports_text(const std::vector<Port>& ports) {
  if (ports.empty()) return "none";
  std::vector<std::string> texts;
  for (const Port& port : ports) texts.push_back(port_text(port));
  return joined(texts);
}

}  // namespace lapis::core
