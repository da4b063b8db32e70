#include "io/model_folder.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "io/json_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/sha256.hpp"
#include "io/text.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr std::int64_t format_version = 1;
constexpr std::size_t longest_document = 1U << 20U;
constexpr std::int64_t largest_id = std::numeric_limits<int>::max();
constexpr std::size_t highest_rank = 8;

const std::string advice = "docs/model-folder.md describes model.json; scripts/export_graphs.py writes it.";

int small_integer(const JsonValue& value, int low, int high) { return static_cast<int>(value.integer(low, high)); }

/// Why `path` may not stand in a model.json, in words that follow it; none if it may.
std::optional<std::string> path_fault(const std::string& path) {
  if (path.empty()) return "is empty";
  if (path.front() == '/') return "is absolute; paths are relative to the model's folder";
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (std::any_of(path.begin(), path.end(), is_control)) return "has a control character";
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view step = rest.substr(0, slash);
    if (step == "..") return "leaves the model's folder";
    if (step.empty() || step == ".") return "has an empty or a \".\" step";
    if (slash == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(slash + 1);
  }
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const auto [in_folder, in_path] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return in_folder == folder.end() && in_path != path.end();
}

class ModelReader {
 public:
  /// `folder` is absolute and free of symbolic links.
  explicit ModelReader(fs::path folder) { model_.folder = std::move(folder); }

  Model read(const JsonValue& document) {
    check_version(document);
    static const Words keys{"version",  "name",     "family", "space",   "parts", "tokenizers",
                            "sampling", "defaults", "files",  "licence", "origin"};
    document.expect_keys(keys);
    model_.name = document.at("name").name();
    model_.family = document.at("family").name();
    model_.space = read_space(document.at("space"));
    // Files come first: every path that parts and tokenizers name must be among them.
    for (const auto& [path, facts] : document.at("files").members()) model_.files[path] = read_file(path, facts);
    for (const auto& [name, part] : document.at("parts").members()) model_.parts[name] = read_part(part);
    for (const auto& [name, tokenizer] : document.at("tokenizers").members()) {
      model_.tokenizers[name] = read_tokenizer(tokenizer);
    }
    model_.sampling = read_sampling(document.at("sampling"));
    model_.defaults = read_defaults(document.at("defaults"));
    model_.licence = document.at("licence").text();
    model_.origin = document.at("origin").text();
    check_all_files_named(document.at("files"));
    return std::move(model_);
  }

 private:
  /// Before the keys: another version may well have others.
  static void check_version(const JsonValue& document) {
    const JsonValue version = document.at("version");
    const std::int64_t number = version.integer(1, largest_id);
    if (number != format_version) {
      version.fail("is " + std::to_string(number) + "; this lapis reads version " + std::to_string(format_version) +
                   ". Use a newer lapis, or export the model again");
    }
  }

  static Space read_space(const JsonValue& value) {
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

  /// Checks the file at `path` as far as that is cheap.
  FileFacts read_file(const std::string& path, const JsonValue& value) {
    if (const auto fault = path_fault(path)) value.fail("names a path that " + *fault);
    static const Words keys{"sha256", "size"};
    value.expect_keys(keys);
    FileFacts facts;
    facts.sha256 = value.at("sha256").text();
    if (facts.sha256.size() != 64 || facts.sha256.find_first_not_of("0123456789abcdef") != std::string::npos) {
      value.at("sha256").fail("is " + in_quotes(facts.sha256) + ", expected 64 lower-case hex digits");
    }
    facts.size = static_cast<std::uint64_t>(value.at("size").integer(0, std::int64_t{1} << 48U));
    check_file(path, facts.size);
    return facts;
  }

  void check_file(const std::string& path, std::uint64_t recorded) {
    std::error_code error;
    const fs::path file = fs::canonical(model_.folder / path, error);
    if (error) fail_file(path, "is missing or cannot be reached: " + error.message());
    if (!lies_below(file, model_.folder)) fail_file(path, "is a symbolic link that leads out of the model's folder");
    if (!fs::is_regular_file(file, error)) fail_file(path, "is no regular file");
    const std::uintmax_t size = fs::file_size(file, error);
    if (error) fail_file(path, "cannot be read: " + error.message());
    const std::string both = std::to_string(size) + " bytes, expected " + std::to_string(recorded);
    if (size < recorded) fail_file(path, "is truncated: it has " + both);
    if (size > recorded) fail_file(path, "is too long: it has " + both);
  }

  [[noreturn]] void fail_file(const std::string& path, const std::string& what) const {
    throw Error(ErrorKind::model, (model_.folder / path).string() + " " + what +
                                      ".\nmodel.json needs this file: restore it, or export the model again.");
  }

  fs::path read_path(const JsonValue& value) {
    const std::string path = value.name();
    if (const auto fault = path_fault(path)) value.fail("is " + in_quotes(path) + ", which " + *fault);
    if (!model_.files.contains(path)) value.fail("is " + in_quotes(path) + ", which \"files\" does not list");
    named_.insert(path);
    return fs::canonical(model_.folder / path);
  }

  Part read_part(const JsonValue& value) {
    static const Words keys{"graph", "weights", "inputs", "outputs"};
    value.expect_keys(keys);
    Part part;
    part.graph = read_path(value.at("graph"));
    for (const JsonValue& weights : value.at("weights").items()) part.weights.push_back(read_path(weights));
    part.inputs = read_ports(value.at("inputs"));
    part.outputs = read_ports(value.at("outputs"));
    return part;
  }

  static std::vector<Port> read_ports(const JsonValue& value) {
    std::vector<Port> ports;
    std::set<std::string> names;
    for (const JsonValue& item : value.items()) {
      ports.push_back(read_port(item));
      if (!names.insert(ports.back().name).second) item.at("name").fail("is a name that an earlier one has");
    }
    if (ports.empty()) value.fail("is an empty list");
    return ports;
  }

  static Port read_port(const JsonValue& value) {
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
        port.shape.emplace_back(item.integer(1, largest_id));
      }
    }
    if (port.shape.size() > highest_rank) value.at("shape").fail("has more than 8 dimensions");
    return port;
  }

  TokenizerFacts read_tokenizer(const JsonValue& value) {
    static const Words keys{"kind", "vocabulary", "merges", "length", "start", "end", "pad"};
    static const Words kinds{"clip"};
    value.expect_keys(keys);
    value.at("kind").choice(kinds);
    TokenizerFacts facts;
    facts.vocabulary = read_path(value.at("vocabulary"));
    facts.merges = read_path(value.at("merges"));
    facts.length = small_integer(value.at("length"), 3, 4096);
    facts.start = static_cast<int>(value.at("start").integer(0, largest_id));
    facts.end = static_cast<int>(value.at("end").integer(0, largest_id));
    facts.pad = static_cast<int>(value.at("pad").integer(0, largest_id));
    return facts;
  }

  static SamplingFacts read_sampling(const JsonValue& value) {
    static const Words keys{"prediction", "train_steps", "beta_curve",  "beta_start",
                            "beta_end",   "spacing",     "steps_offset"};
    static const Words predictions{"epsilon", "v"};
    static const Words curves{"linear", "scaled_linear"};
    static const Words spacings{"leading", "linspace", "trailing"};
    value.expect_keys(keys);
    SamplingFacts facts;
    facts.prediction = std::array{Prediction::epsilon, Prediction::v}[value.at("prediction").choice(predictions)];
    facts.train_steps = small_integer(value.at("train_steps"), 1, 100'000);
    facts.beta_curve = std::array{BetaCurve::linear, BetaCurve::scaled_linear}[value.at("beta_curve").choice(curves)];
    facts.beta_start = value.at("beta_start").number(1e-9, 0.999);
    facts.beta_end = value.at("beta_end").number(facts.beta_start, 0.999);
    facts.spacing =
        std::array{Spacing::leading, Spacing::linspace, Spacing::trailing}[value.at("spacing").choice(spacings)];
    facts.steps_offset = small_integer(value.at("steps_offset"), 0, facts.train_steps);
    return facts;
  }

  static Defaults read_defaults(const JsonValue& value) {
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

  void check_all_files_named(const JsonValue& files) const {
    for (const auto& [path, value] : files.members()) {
      if (!named_.contains(path)) value.fail("is a file that no part and no tokenizer names");
    }
  }

  Model model_;
  std::set<std::string> named_;
};

fs::path absolute_folder(const fs::path& folder) {
  std::error_code error;
  fs::path result = fs::canonical(folder, error);
  if (error) {
    throw Error(ErrorKind::model, "there is no model folder " + folder.string() + ": " + error.message() +
                                      ".\nName a folder that has a model.json.");
  }
  if (!fs::is_directory(result)) {
    throw Error(ErrorKind::model,
                folder.string() + " is a file; a model is a folder with a model.json. Name its folder.");
  }
  if (!fs::exists(result / "model.json", error)) {
    const bool diffusers = fs::exists(result / "model_index.json", error);
    throw Error(ErrorKind::model, folder.string() + " has no model.json, so it is no model folder.\n" +
                                      (diffusers ? "It is a diffusers folder: scripts/export_graphs.py writes one."
                                                 : "Name a folder that has one."));
  }
  return result;
}

/// What is wrong with one file of a model, or none.
std::optional<std::string> digest_fault(const fs::path& path, const FileFacts& facts) {
  std::string found;
  try {
    found = sha256_file(path, ErrorKind::model);
  } catch (const Error& error) {
    return error.what();
  }
  if (found == facts.sha256) return std::nullopt;
  return path.string() + " has been altered: expected sha256 " + facts.sha256 + ", found " + found +
         ".\nRestore the file, or export the model again.";
}

}  // namespace

Model read_model(const fs::path& folder) {
  const fs::path absolute = absolute_folder(folder);
  const JsonSource source{(absolute / "model.json").string(), ErrorKind::model, advice, longest_document};
  const MappedFile file(source.file, ErrorKind::model);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const nlohmann::json document = parse_json(text, source);
  return ModelReader(absolute).read(JsonValue(document, source));
}

void verify_files(const Model& model) {
  constexpr std::uint64_t worth_a_thread = 4U << 20U;
  struct Work {
    std::string name;
    const FileFacts* facts;
    std::optional<std::string> fault;
  };
  std::vector<Work> work;
  std::uint64_t total = 0;
  for (const auto& [name, facts] : model.files) {
    work.push_back({name, &facts, std::nullopt});
    total += facts.size;
  }
  // The largest first, so that no thread begins it last.
  std::sort(work.begin(), work.end(), [](const Work& a, const Work& b) { return a.facts->size > b.facts->size; });
  std::atomic<std::size_t> next = 0;
  const auto drain = [&] {
    for (std::size_t i = next++; i < work.size(); i = next++) {
      work[i].fault = digest_fault(model.folder / work[i].name, *work[i].facts);
    }
  };
  if (total > worth_a_thread) {
    const std::jthread helper(drain);
    drain();
  } else {
    drain();
  }
  std::sort(work.begin(), work.end(), [](const Work& a, const Work& b) { return a.name < b.name; });
  for (const Work& item : work) {
    if (item.fault) throw Error(ErrorKind::model, *item.fault);
  }
}

}  // namespace lapis::io
