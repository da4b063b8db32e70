#include "io/latent/latent_metadata.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/units.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "core/text/unicode.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/text.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using SortedJson = nlohmann::json;
using Words = std::vector<std::string>;
using Texts = std::map<std::string, std::string>;

const char* const format_name = "lapis.latent.1";
const char* const infinite = "infinite";
constexpr int largest_integer = std::numeric_limits<int>::max();
constexpr double largest_number = std::numeric_limits<double>::max();
constexpr double least_scale = 1e-6;
constexpr double most_scale = 1e6;
constexpr double highest_psnr = 1000;

const Words& required_keys() {
  static const Words keys{"space", "lineage", "channels", "downscale", "scale", "units", "sigma", "width", "height"};
  return keys;
}

/// Keys that a partially denoised latent must have, and no other may.
const Words& step_keys() {
  static const Words keys{"path", "step", "draws"};
  return keys;
}

const Words& optional_keys() {
  static const Words keys{"format", "program", "shift", "mean", "deviation", "vae_sha256", "job", "history"};
  return keys;
}

Words known_keys() {
  Words keys = required_keys();
  keys.insert(keys.end(), step_keys().begin(), step_keys().end());
  keys.insert(keys.end(), optional_keys().begin(), optional_keys().end());
  return keys;
}

const Words& path_names() {
  static const Words names{"variance_exploding", "flow"};
  return names;
}

std::string number_list(const std::vector<double>& values) {
  std::vector<std::string> texts;
  std::ranges::transform(values, std::back_inserter(texts), core::number_text);
  return core::joined(texts, ",");
}

/// A number where `text` is one as JSON writes them, else the text: JsonValue then says what was expected instead.
SortedJson number_json(const std::string& text) {
  if (text.find_first_not_of("0123456789+-.eE") != std::string::npos) return text;
  SortedJson number = SortedJson::parse(text, nullptr, /*allow_exceptions=*/false);
  return number.is_number() ? number : SortedJson(text);
}

SortedJson numbers_json(std::string_view text) {
  SortedJson list = SortedJson::array();
  while (true) {
    const std::size_t comma = text.find(',');
    list.push_back(number_json(std::string(text.substr(0, comma))));
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

/// The metadata as one document, in which values have places and types.
class Document {
 public:
  Document(const Texts& texts, const std::string& name)
      : source_{name, ErrorKind::input, latent_advice(name), longest_latent_header} {
    static const std::set<std::string> numbers{"channels", "downscale", "scale", "shift", "sigma",
                                               "step",     "draws",     "width", "height"};
    for (const auto& [key, text] : texts) {
      if (key.starts_with(foreign_prefix)) continue;
      const bool list = key == "mean" || key == "deviation";
      json_[key] = list ? numbers_json(text) : numbers.contains(key) ? number_json(text) : SortedJson(text);
    }
  }

  const std::string& name() const { return source_.file; }
  bool has(const std::string& key) const { return json_.contains(key); }
  JsonValue at(const std::string& key) const { return root().at(key); }
  JsonValue root() const { return {json_, source_}; }
  int integer(const std::string& key, int low, int high) const { return static_cast<int>(at(key).integer(low, high)); }

  /// Never -0, which would come back as another text than it went.
  double number(const std::string& key, double low, double high) const { return at(key).number(low, high) + 0.0; }

 private:
  JsonSource source_;
  SortedJson json_ = SortedJson::object();
};

void check_format_version(const Texts& texts, const std::string& name) {
  const auto found = texts.find("format");
  if (found == texts.end()) {
    fail_latent(name, "lacks the metadata \"format\", which latents of lapis have: it is another program's");
  }
  if (found->second == format_name) return;
  if (found->second.starts_with("lapis.latent.")) {
    throw Error(ErrorKind::input,
                core::sentence("{} is of the format {}; lapis {} reads {}.", name, in_quotes(found->second), version,
                               in_quotes(format_name)),
                "Read it with a newer lapis.");
  }
  fail_latent(name, "is of the format {}, expected {}", in_quotes(found->second), in_quotes(format_name));
}

void check_keys(const Document& document) {
  const Words known = known_keys();
  for (const auto& [key, value] : document.root().members()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw Error(ErrorKind::input,
                core::sentence("{} has the unknown metadata key {}.{}", document.name(), in_quotes(key),
                               core::did_you_mean(key, known)),
                core::sentence("Keys of your own begin with {}; docs/latent-format.md has the others.",
                               in_quotes(foreign_prefix)));
  }
  for (const std::string& key : required_keys()) {
    if (document.has(key)) continue;
    if (document.has("space") && core::find_space(document.at("space").text()) == nullptr) {
      fail_latent(document.name(),
                  "lacks the metadata {}, and a space that lapis does not know, {}, "
                  "needs all its numbers in the file",
                  in_quotes(key), in_quotes(document.at("space").text()));
    }
    fail_latent(document.name(), "lacks the metadata {}", in_quotes(key));
  }
}

/// A name that can stand in a message and on a command line.
std::string read_word(const Document& document, const std::string& key, const std::string& forbidden) {
  constexpr std::size_t longest = 64;
  const std::string word = document.at(key).name();
  const bool plain = word.size() <= longest && word.find_first_of(forbidden) == std::string::npos &&
                     std::all_of(word.begin(), word.end(), [](char c) { return c < 0 || c > ' '; });
  if (plain && printable(word) == word) return word;
  document.at(key).fail(forbidden.empty()
                            ? core::sentence("is {}, expected one word of at most 64 bytes", in_quotes(word))
                            : core::sentence("is {}, expected one word of at most 64 bytes without {}", in_quotes(word),
                                             in_quotes(forbidden)));
}

std::vector<double> read_numbers(const Document& document, const std::string& key, int count, double low, double high) {
  const std::vector<JsonValue> items = document.at(key).items();
  if (items.size() != static_cast<std::size_t>(count)) {
    document.at(key).fail("has {} numbers, expected one for each of {} channels", items.size(), count);
  }
  std::vector<double> numbers;
  for (const JsonValue& item : items) numbers.push_back(item.number(low, high) + 0.0);
  return numbers;
}

/// What tells two spaces apart in words, or nothing where their numbers agree. Lineages are not compared.
std::string difference(const Space& said, const Space& known) {
  const auto one = [](const std::string& what, double a, double b) {
    return core::sentence("{} is {}, not {}", what, core::number_text(a), core::number_text(b));
  };
  if (said.channels != known.channels) return one("channels", said.channels, known.channels);
  if (said.downscale != known.downscale) return one("downscale", said.downscale, known.downscale);
  if (said.scale != known.scale) return one("scale", said.scale, known.scale);
  if (said.mean.size() != known.mean.size()) {
    return said.mean.empty() ? "a mean of each channel is missing" : "a mean of each channel has no place there";
  }
  if (said.shift != known.shift) return one("shift", said.shift, known.shift);
  for (std::size_t c = 0; c < said.mean.size(); ++c) {
    if (said.mean[c] != known.mean[c]) {
      return one(core::sentence("the mean of channel {}", c), said.mean[c], known.mean[c]);
    }
    if (said.deviation[c] != known.deviation[c]) {
      return one(core::sentence("the deviation of channel {}", c), said.deviation[c], known.deviation[c]);
    }
  }
  return "";
}

void check_contradiction(const Space& said, const std::string& name) {
  const core::SpaceRow* row = core::find_space(said.id);
  if (row == nullptr) return;
  const std::string differs = difference(said, row->space);
  if (differs.empty()) return;
  Words others;
  for (const core::SpaceRow& other : core::spaces()) {
    if (difference(said, other.space).empty()) others.push_back(other.space.id);
  }
  Space expected = row->space;
  expected.lineage = said.lineage;
  const std::string problem =
      core::sentence("{} contradicts itself: it names the space {} ({}), and its numbers are {}: {}.", name, said.id,
                     core::space_numbers(expected), core::space_numbers(said), differs);
  throw Error(
      ErrorKind::incompatible,
      others.empty() ? problem : core::sentence("{} These are the numbers of {}.", problem, core::listed(others)),
      "Find out which of the two is right, and write the file again: either decoded as the other is garbage.");
}

Space read_space(const Document& document) {
  Space space;
  space.id = read_word(document, "space", ":");
  space.lineage = read_word(document, "lineage", "");
  space.channels = document.integer("channels", 1, 1024);
  space.downscale = document.integer("downscale", 1, 256);
  space.scale = document.number("scale", least_scale, most_scale);
  const bool means = document.has("mean") || document.has("deviation");
  if (means && document.has("shift")) {
    fail_latent(document.name(), "has both a shift and means; a space has one or the other");
  }
  for (const std::string key : {"mean", "deviation"}) {
    if (means && !document.has(key)) {
      fail_latent(document.name(), "lacks the metadata {}: mean and deviation go together", in_quotes(key));
    }
  }
  if (means) {
    space.mean = read_numbers(document, "mean", space.channels, -most_scale, most_scale);
    space.deviation = read_numbers(document, "deviation", space.channels, least_scale, most_scale);
  } else {
    if (!document.has("shift")) fail_latent(document.name(), "lacks the metadata \"shift\", or mean and deviation");
    space.shift = document.number("shift", -most_scale, most_scale);
  }
  check_contradiction(space, document.name());
  return space;
}

void read_step_state(const Document& document, Passport& passport) {
  passport.sigma = document.number("sigma", 0, largest_number);
  for (const std::string& key : step_keys()) {
    if (document.has(key) == (passport.sigma > 0)) continue;
    if (passport.sigma > 0) {
      fail_latent(document.name(), "has a sigma and so is partially denoised, but lacks {}", in_quotes(key));
    }
    fail_latent(document.name(), "has {}, which only a partially denoised latent has, but its sigma is 0",
                in_quotes(key));
  }
  if (passport.sigma == 0) return;
  passport.path = document.at("path").choice(path_names()) == 0 ? Path::variance_exploding : Path::flow;
  if (passport.path == Path::flow) document.number("sigma", 0, 1);
  passport.step = document.integer("step", 0, largest_integer);
  passport.draws = document.integer("draws", 0, largest_integer);
  if (passport.units != Units::model) {
    document.at("units").fail(
        "is \"vae\", but the latent is partially denoised, and noise has no VAE values: expected \"model\"");
  }
}

void check_size(const Document& document, const Passport& passport) {
  const auto check = [&](const std::string& key, std::int64_t cells) {
    const std::int64_t expected = cells * passport.space.downscale;
    if (document.at(key).integer(1, std::numeric_limits<std::int64_t>::max()) == expected) return;
    document.at(key).fail("is not {}, which the tensor's {} cells of {} pixels come to", expected, cells,
                          passport.space.downscale);
  };
  check("width", passport.shape[3]);
  check("height", passport.shape[2]);
}

Transcode read_transcode(const JsonValue& value) {
  static const Words keys{"route", "from", "to", "size"};
  static const Words optional{"psnr"};
  value.expect_keys(keys, optional);
  Transcode transcode{value.at("route").name(), value.at("from").name(), value.at("to").name(), {}, {}};
  const std::vector<JsonValue> sides = value.at("size").items();
  if (sides.size() != 2) value.at("size").fail("has not two numbers, width and height");
  transcode.size.width = static_cast<int>(sides[0].integer(1, largest_integer));
  transcode.size.height = static_cast<int>(sides[1].integer(1, largest_integer));
  if (!value.has("psnr")) return transcode;
  const JsonValue psnr = value.at("psnr");
  if (psnr.is_text()) {
    static const Words only{infinite};
    psnr.choice(only);
    transcode.psnr = std::numeric_limits<double>::infinity();
  } else {
    transcode.psnr = psnr.number(0, highest_psnr) + 0.0;
  }
  return transcode;
}

std::vector<Transcode> read_history(const Document& document) {
  const JsonSource source{core::sentence("{}: history", document.name()), ErrorKind::input,
                          latent_advice(document.name()), longest_latent_header};
  const SortedJson json = parse_json(document.at("history").text(), source);
  std::vector<Transcode> history;
  for (const JsonValue& item : JsonValue(json, source).items()) history.push_back(read_transcode(item));
  return history;
}

std::string read_job(const Document& document) {
  const JsonSource source{core::sentence("{}: job", document.name()), ErrorKind::input, latent_advice(document.name()),
                          longest_latent_header};
  std::string text = document.at("job").text();
  const SortedJson json = parse_json(text, source);
  JsonValue(json, source).members();  // throws where it is no object
  return text;
}

std::string history_text(const std::vector<Transcode>& history) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Transcode& transcode : history) {
    nlohmann::ordered_json entry = {{"route", transcode.route},
                                    {"from", transcode.from},
                                    {"to", transcode.to},
                                    {"size", {transcode.size.width, transcode.size.height}}};
    if (transcode.psnr) {
      if (std::isinf(*transcode.psnr)) {
        entry["psnr"] = infinite;
      } else {
        entry["psnr"] = *transcode.psnr;
      }
    }
    list.push_back(std::move(entry));
  }
  try {
    return list.dump();
  } catch (const SortedJson::exception&) {
    throw Error(ErrorKind::usage, "a name in a latent's history is not UTF-8 and cannot be stored.");
  }
}

}  // namespace

std::string latent_advice(const std::string& name) {
  if (name == standard_input) return "The command before the pipe failed or wrote something else: run it by itself.";
  return "It is damaged or was written wrongly; docs/latent-format.md says what a latent of lapis holds.";
}

std::map<std::string, std::string> metadata_of(const Passport& passport) {
  const Space& space = passport.space;
  Texts texts = {
      {"format", format_name},
      {"program", std::string("lapis ") + version},
      {"space", space.id},
      {"lineage", space.lineage},
      {"channels", std::to_string(space.channels)},
      {"downscale", std::to_string(space.downscale)},
      {"scale", core::number_text(space.scale)},
      {"units", core::units_name(passport.units)},
      {"sigma", core::number_text(passport.sigma)},
      {"width", std::to_string(passport.shape[3] * space.downscale)},
      {"height", std::to_string(passport.shape[2] * space.downscale)},
  };
  if (space.mean.empty()) {
    texts["shift"] = core::number_text(space.shift);
  } else {
    texts["mean"] = number_list(space.mean);
    texts["deviation"] = number_list(space.deviation);
  }
  if (passport.sigma != 0) {
    texts["path"] = path_names()[passport.path == Path::variance_exploding ? 0 : 1];
    texts["step"] = std::to_string(passport.step);
    texts["draws"] = std::to_string(passport.draws);
  }
  if (!passport.vae_sha256.empty()) texts["vae_sha256"] = passport.vae_sha256;
  if (!passport.job.empty()) texts["job"] = passport.job;
  if (!passport.history.empty()) texts["history"] = history_text(passport.history);
  return texts;
}

Passport passport_of(const std::map<std::string, std::string>& metadata, LatentDtype dtype,
                     const std::array<std::int64_t, 4>& shape, const std::string& name) {
  check_format_version(metadata, name);
  const Document document(metadata, name);
  check_keys(document);
  Passport passport;
  passport.dtype = dtype;
  passport.shape = shape;
  passport.space = read_space(document);
  check_latent_shape(shape, passport.space, name);
  passport.units = core::units_rows()[document.at("units").choice(core::row_names(core::units_rows()))].units;
  read_step_state(document, passport);
  check_size(document, passport);
  if (document.has("vae_sha256")) passport.vae_sha256 = document.at("vae_sha256").sha256();
  if (document.has("job")) passport.job = read_job(document);
  if (document.has("history")) passport.history = read_history(document);
  return passport;
}

int packing_of(const Space& space) {
  const core::SpaceRow* row = core::find_space(space.id);
  return row == nullptr ? 1 : row->packing;
}

void check_latent_shape(const std::array<std::int64_t, 4>& shape, const Space& space, const std::string& name) {
  std::int64_t numbers = 1;
  for (const std::int64_t size : shape) {
    if (size < 1) fail_latent(name, "has a latent with a side of 0: there is nothing in it");
    if (size > most_latent_numbers / numbers) {
      throw Error(ErrorKind::input,
                  core::sentence("{} holds more than 1,000,000,000 numbers, the most that are read.", name),
                  "Split its batch into several files.");
    }
    numbers *= size;
  }
  if (shape[1] != space.channels) {
    fail_latent(name, "has a tensor of {} channels, but latents of the space {} have {}", shape[1],
                core::space_name(space), space.channels);
  }
  const int packing = packing_of(space);
  if (shape[2] % packing == 0 && shape[3] % packing == 0) return;
  fail_latent(name, "is {} x {} cells; latents of the space {} have sides of multiples of {}", shape[3], shape[2],
              space.id, packing);
}

}  // namespace lapis::io
