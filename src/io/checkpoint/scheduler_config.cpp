#include "io/checkpoint/scheduler_config.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "core/sampling/scheduler_classes.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/foreign_json.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using core::KeyUse;
using core::SchedulerClass;
using core::SchedulerKey;
using Words = std::vector<std::string>;

constexpr std::size_t longest_config = 1'000'000;
constexpr const char* where_to_read = "docs/samplers.md has the schedulers and the keys that lapis takes";
constexpr const char* usual_class = "EulerDiscreteScheduler";

double number_of(const JsonValue& config, const std::string& key, double fallback, double low, double high) {
  return config.has(key) ? config.at(key).number(low, high) : fallback;
}

int integer_of(const JsonValue& config, const std::string& key, int fallback, int low, int high) {
  return config.has(key) ? static_cast<int>(config.at(key).integer(low, high)) : fallback;
}

bool truth_of(const JsonValue& config, const std::string& key) { return config.has(key) && config.at(key).truth(); }

/// The class that model_index.json names for the scheduler; "" where it names none.
std::string indexed_class(const fs::path& folder) {
  const fs::path path = folder / "model_index.json";
  if (!is_file(path)) return "";
  const ForeignJson index(path, where_to_read, longest_config);
  if (!index.value().has("scheduler")) return "";
  const std::vector<JsonValue> words = index.value().at("scheduler").items();
  return words.size() == 2 && words[1].is_text() ? words[1].text() : "";
}

const SchedulerClass& class_of(const JsonValue& config, SchedulerConfig& found, const fs::path& folder) {
  const std::string indexed = indexed_class(folder);
  if (config.has("_class_name")) {
    found.class_name = config.at("_class_name").text();
    if (!indexed.empty() && indexed != found.class_name) {
      found.notes.push_back(core::sentence("model_index.json names {}, and {} {}, which is taken", printable(indexed),
                                           found.file.string(), printable(found.class_name)));
    }
  } else if (!indexed.empty()) {
    found.class_name = indexed;
  } else {
    found.class_name = usual_class;
    found.notes.push_back(core::sentence("{} names no class: it is read as {}", found.file.string(), usual_class));
  }
  const SchedulerClass* row = core::find_scheduler_class(found.class_name);
  if (row != nullptr && row->refused.empty()) return *row;
  if (row != nullptr) {
    throw Error(ErrorKind::input,
                core::sentence("{}: _class_name is {}, which {}.", found.file.string(), in_quotes(found.class_name),
                               row->refused),
                where_to_read);
  }
  Words names;
  for (const SchedulerClass& known : core::scheduler_classes()) names.emplace_back(known.name);
  throw Error(ErrorKind::input,
              core::sentence("{}: _class_name is {}, which is no scheduler that lapis knows.{}", found.file.string(),
                             in_quotes(found.class_name), core::did_you_mean(found.class_name, names)),
              where_to_read);
}

/// The first twelve names, and how many more there are.
std::string shown(const Words& names) {
  constexpr std::size_t most = 12;
  const std::string first = core::joined(std::span(names).first(std::min(most, names.size())));
  return names.size() <= most ? first : core::sentence("{} and {} more", first, names.size() - most);
}

/// Refuses values of keys of the class that lapis has not, and notes those that it has in its own way.
void check_keys(const ForeignJson& config, const SchedulerClass& row, SchedulerConfig& found) {
  const KeyUse training = row.path == Path::flow ? KeyUse::flow : KeyUse::training;
  Words taken;
  Words unread;
  for (const auto& [name, value] : config.document().items()) {
    if (name.starts_with("_")) continue;
    const SchedulerKey* key = core::find_scheduler_key(row, name);
    const bool read = core::reads(row, name);
    if (!read) {
      (key != nullptr && key->use == training ? taken : unread).push_back(printable(name));
      continue;
    }
    if (key == nullptr || core::accepts(*key, value.dump())) continue;
    if (key->use == KeyUse::only) {
      config.value().at(name).fail("is {}; {}", printable(value.dump()), core::marked(key->why));
    }
    if (key->use == KeyUse::noted) {
      found.notes.push_back(core::sentence("{}: {} is {}; {}", found.file.string(), name, printable(value.dump()),
                                           core::marked(key->why)));
    }
  }
  if (!taken.empty()) {
    found.notes.push_back(
        core::sentence("{}: {} of diffusers does not read {}; lapis does, for it tells how the network was trained",
                       found.file.string(), found.class_name, shown(taken)));
  }
  if (unread.empty()) return;
  found.notes.push_back(core::sentence("{}: nothing that {} reads, and left out: {}", found.file.string(),
                                       found.class_name, shown(unread)));
}

FlowShift flow_shift(const JsonValue& config) {
  FlowShift shift;
  shift.dynamic = truth_of(config, "use_dynamic_shifting");
  shift.shift = number_of(config, "shift", 1, 0.01, 100);
  shift.base_shift = number_of(config, "base_shift", 0.5, -10, 10);
  shift.max_shift = number_of(config, "max_shift", 1.15, -10, 10);
  shift.base_tokens = integer_of(config, "base_image_seq_len", 256, 1, 1'000'000'000);
  shift.max_tokens = integer_of(config, "max_image_seq_len", 4096, 1, 1'000'000'000);
  if (shift.base_tokens >= shift.max_tokens) {
    config.at(config.has("max_image_seq_len") ? "max_image_seq_len" : "base_image_seq_len")
        .fail("is not on its side: base_image_seq_len is {} and max_image_seq_len {}, expected the first to be less",
              shift.base_tokens, shift.max_tokens);
  }
  static const Words shifts{"exponential"};
  if (shift.dynamic && config.has("time_shift_type")) config.at("time_shift_type").choice(shifts);
  return shift;
}

Prediction prediction_of(const JsonValue& config) {
  static const Words predictions{"epsilon", "v_prediction"};
  if (!config.has("prediction_type")) return Prediction::epsilon;
  const JsonValue value = config.at("prediction_type");
  if (value.is_text() && value.text() == "sample") {
    value.fail(R"(is "sample": lapis draws with networks that predict noise or v, not the clean picture)");
  }
  return std::array{Prediction::epsilon, Prediction::v}[value.choice(predictions)];
}

BetaCurve curve_of(const JsonValue& config, BetaCurve fallback) {
  if (!config.has("beta_schedule")) return fallback;
  Words names;
  for (const core::BetaCurveRow& row : core::beta_curves()) names.push_back(row.diffusers);
  return core::beta_curves()[config.at("beta_schedule").choice(names)].curve;
}

Spacing spacing_of(const JsonValue& config, Spacing fallback) {
  if (!config.has("timestep_spacing")) return fallback;
  Words names;
  for (const core::SpacingRow& row : core::spacings()) names.push_back(row.name);
  return core::spacings()[config.at("timestep_spacing").choice(names)].spacing;
}

SamplingFacts facts_of(const JsonValue& config, const SchedulerClass& row) {
  constexpr double least_beta = 1e-9;
  constexpr double most_beta = 0.999;
  SamplingFacts facts;
  facts.train_steps = integer_of(config, "num_train_timesteps", 1000, 1, 100'000);
  if (row.path == Path::flow) {
    facts.prediction = Prediction::flow;
    facts.flow_shift = flow_shift(config);
    return facts;
  }
  facts.prediction = prediction_of(config);
  facts.beta_curve = curve_of(config, row.curve);
  const double most_start = config.has("beta_end") ? most_beta : row.beta_end;
  facts.beta_start = number_of(config, "beta_start", row.beta_start, least_beta, most_start);
  facts.beta_end = number_of(config, "beta_end", row.beta_end, facts.beta_start, most_beta);
  facts.spacing = spacing_of(config, row.spacing);
  facts.steps_offset = integer_of(config, "steps_offset", 0, 0, facts.train_steps - 1);
  facts.zero_snr = truth_of(config, "rescale_betas_zero_snr");
  return facts;
}

/// The sampler and the schedule that the class and its keys name.
void choose_sampling(const JsonValue& config, const SchedulerClass& row, SchedulerConfig& found) {
  found.sampler = row.sampler;
  found.schedule = row.schedule;
  if (core::reads(row, "algorithm_type") && found.sampler == "dpmpp_2m" && config.has("algorithm_type")) {
    static const Words kinds{"dpmsolver++", "sde-dpmsolver++"};
    if (config.at("algorithm_type").choice(kinds) == 1) found.sampler = "dpmpp_2m_sde";
  }
  if (core::reads(row, "stochastic_sampling") && truth_of(config, "stochastic_sampling")) found.sampler = "lcm";
  static constexpr std::array shapes = {std::pair{"use_karras_sigmas", "karras"},
                                        std::pair{"use_exponential_sigmas", "exponential"},
                                        std::pair{"use_beta_sigmas", "beta"}};
  for (const auto& [key, schedule] : shapes) {
    if (!core::reads(row, key) || !truth_of(config, key)) continue;
    if (found.schedule != row.schedule) {
      config.at(key).fail("is true, and so is the key of schedule {}", found.schedule);
    }
    found.schedule = schedule;
  }
}

}  // namespace

std::optional<SchedulerConfig> read_scheduler(const fs::path& folder) {
  SchedulerConfig found;
  found.file = folder / "scheduler" / "scheduler_config.json";
  if (!is_file(found.file)) return std::nullopt;
  const ForeignJson config(found.file, where_to_read, longest_config);
  const SchedulerClass& row = class_of(config.value(), found, folder);
  check_keys(config, row, found);
  found.sampling = facts_of(config.value(), row);
  choose_sampling(config.value(), row, found);
  return found;
}

}  // namespace lapis::io
