#include "io/model/model_facts.hpp"

#include <array>
#include <set>
#include <span>
#include <string_view>

#include "core/prompt/prompt_words.hpp"
#include "core/sampling/schedules.hpp"
#include "io/file/text.hpp"

namespace lapis::io {

namespace {

using Words = std::vector<std::string>;

constexpr std::size_t highest_port_rank = 8;
constexpr std::size_t most_words = 50'000;     ///< that a model was taught
constexpr std::size_t longest_word = 100;      ///< bytes
constexpr std::size_t longest_subjects = 200;  ///< bytes

template <typename Row>
Words names_of(std::span<const Row> rows) {
  Words names;
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

Port read_port(const JsonValue& value) {
  static const Words keys{"name", "dtype", "shape"};
  static const Words dtypes{"model", "f32", "i64"};
  value.expect_keys(keys);
  Port port;
  port.name = value.at("name").name();
  port.dtype = dtypes[value.at("dtype").choice(dtypes)];
  for (const JsonValue& item : value.at("shape").items()) {
    if (item.is_text()) {
      port.shape.emplace_back(item.name());
    } else {
      port.shape.emplace_back(item.integer(1, largest_integer));
    }
  }
  if (port.shape.size() > highest_port_rank) value.at("shape").fail("has more than 8 dimensions");
  return port;
}

FlowShift read_flow_shift(const JsonValue& value) {
  static const Words constant_keys{"dynamic", "shift"};
  static const Words dynamic_keys{"dynamic", "base_shift", "max_shift", "base_tokens", "max_tokens"};
  FlowShift shift;
  shift.dynamic = value.at("dynamic").truth();
  value.expect_keys(shift.dynamic ? dynamic_keys : constant_keys);
  if (!shift.dynamic) {
    shift.shift = value.at("shift").number(0.01, 100);
    return shift;
  }
  shift.base_shift = value.at("base_shift").number(-10, 10);
  shift.max_shift = value.at("max_shift").number(-10, 10);
  shift.base_tokens = small_integer(value.at("base_tokens"), 1, largest_integer);
  shift.max_tokens = small_integer(value.at("max_tokens"), 1, largest_integer);
  return shift;
}

SamplingFacts read_flow_sampling(const JsonValue& value) {
  static const Words keys{"prediction", "train_steps", "flow_shift"};
  value.expect_keys(keys);
  SamplingFacts facts;
  facts.prediction = Prediction::flow;
  facts.train_steps = small_integer(value.at("train_steps"), 1, 100'000);
  facts.flow_shift = read_flow_shift(value.at("flow_shift"));
  return facts;
}

std::string read_subjects(const JsonValue& value) {
  std::string subjects = value.name();
  if (subjects.size() > longest_subjects) {
    value.fail("has {} bytes, expected at most {}", subjects.size(), longest_subjects);
  }
  if (printable(subjects, longest_subjects) != subjects) value.fail("has characters that are not seen");
  return subjects;
}

std::string read_word(const JsonValue& value) {
  std::string word = value.name();
  if (word.size() > longest_word) value.fail("has {} bytes, expected at most {}", word.size(), longest_word);
  if (core::prompt_words(word) != Words{word}) {
    value.fail("is {}, expected one word in lower case, of letters and digits alone", in_quotes(word));
  }
  return word;
}

}  // namespace

int small_integer(const JsonValue& value, int low, int high) { return static_cast<int>(value.integer(low, high)); }

Space read_space(const JsonValue& value) {
  static const Words keys{"id", "channels", "downscale", "scale", "shift", "lineage"};
  value.expect_keys(keys);
  Space space;
  space.id = value.at("id").name();
  space.channels = small_integer(value.at("channels"), 1, 1024);
  space.downscale = small_integer(value.at("downscale"), 1, 256);
  space.scale = value.at("scale").number(1e-6, 1e6);
  space.shift = value.at("shift").number(-1e6, 1e6);
  space.lineage = value.at("lineage").name();
  return space;
}

std::vector<Port> read_ports(const JsonValue& value) {
  std::vector<Port> ports;
  std::set<std::string> names;
  for (const JsonValue& item : value.items()) {
    ports.push_back(read_port(item));
    if (!names.insert(ports.back().name).second) item.at("name").fail("is a name that an earlier one has");
  }
  if (ports.empty()) value.fail("is an empty list");
  return ports;
}

SamplingFacts read_sampling(const JsonValue& value) {
  static const Words predictions{"epsilon", "v", "flow"};
  const auto prediction =
      std::array{Prediction::epsilon, Prediction::v, Prediction::flow}[value.at("prediction").choice(predictions)];
  if (path_of(prediction) == Path::flow) return read_flow_sampling(value);
  static const Words keys{"prediction", "train_steps", "beta_curve",  "beta_start",
                          "beta_end",   "spacing",     "steps_offset"};
  static const Words optional{"zero_snr"};
  static const Words curves = names_of(core::beta_curves());
  static const Words spacings = names_of(core::spacings());
  value.expect_keys(keys, optional);
  SamplingFacts facts;
  facts.prediction = prediction;
  facts.train_steps = small_integer(value.at("train_steps"), 1, 100'000);
  facts.beta_curve = core::beta_curves()[value.at("beta_curve").choice(curves)].curve;
  facts.beta_start = value.at("beta_start").number(1e-9, 0.999);
  facts.beta_end = value.at("beta_end").number(facts.beta_start, 0.999);
  facts.spacing = core::spacings()[value.at("spacing").choice(spacings)].spacing;
  facts.steps_offset = small_integer(value.at("steps_offset"), 0, facts.train_steps);
  if (value.has("zero_snr")) facts.zero_snr = value.at("zero_snr").truth();
  return facts;
}

Defaults read_defaults(const JsonValue& value) {
  static const Words keys{"width", "height", "steps", "sampler", "guidance"};
  static const Words optional{"schedule"};
  value.expect_keys(keys, optional);
  Defaults defaults;
  if (value.has("schedule")) defaults.schedule = value.at("schedule").name();
  defaults.width = small_integer(value.at("width"), 8, 65'536);
  defaults.height = small_integer(value.at("height"), 8, 65'536);
  defaults.steps = small_integer(value.at("steps"), 1, 10'000);
  defaults.sampler = value.at("sampler").name();
  defaults.guidance = value.at("guidance").number(0, 1000);
  return defaults;
}

Conditioning read_conditioning(const JsonValue& value) {
  static const Words optional{"zero_empty_negative", "rope_axes"};
  value.expect_keys({}, optional);
  Conditioning facts;
  if (value.has("zero_empty_negative")) facts.zero_empty_negative = value.at("zero_empty_negative").truth();
  if (!value.has("rope_axes")) return facts;
  for (const JsonValue& axis : value.at("rope_axes").items()) {
    facts.rope_axes.push_back(small_integer(axis, 1, 65'536));
  }
  return facts;
}

Taught read_taught(const JsonValue& value) {
  static const Words keys{"subjects", "words"};
  value.expect_keys(keys);
  Taught taught;
  taught.subjects = read_subjects(value.at("subjects"));
  const std::vector<JsonValue> items = value.at("words").items();
  if (items.empty()) value.at("words").fail("is an empty list");
  if (items.size() > most_words) {
    value.at("words").fail("has {} words, expected at most {}", items.size(), most_words);
  }
  std::set<std::string_view> met;
  taught.words.reserve(items.size());  // what `met` looks at stays where it is
  for (const JsonValue& item : items) {
    taught.words.push_back(read_word(item));
    if (!met.insert(taught.words.back()).second) {
      item.fail("is {}, which an earlier one is", in_quotes(taught.words.back()));
    }
  }
  return taught;
}

}  // namespace lapis::io
