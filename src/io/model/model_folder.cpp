#include "io/model/model_folder.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/file_stamp.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/sha256.hpp"
#include "io/file/shortage.hpp"
#include "io/file/text.hpp"
#include "io/model/model_facts.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr std::int64_t format_version = 1;
constexpr std::size_t longest_document = 1U << 20U;

const std::string model_json_advice = "docs/model-folder.md describes model.json; scripts/export/model.py writes it.";

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

/// Finds where the files of a folder really lie. A step that many paths share is looked at once, and the way down to
/// the folder, which is known to be free of symbolic links, never again.
class LinkResolver {
 public:
  /// `folder` is absolute and free of symbolic links.
  explicit LinkResolver(fs::path folder) { folders_.emplace("", std::move(folder)); }

  /// `path`, relative to the folder and without empty and dot steps, as an absolute one that no link is part of. With
  /// `error`, what is returned means nothing.
  fs::path resolve(const std::string& path, std::error_code& error) {
    const std::size_t slash = path.rfind('/');
    const bool is_deep = slash != std::string::npos;
    const fs::path parent = resolve_folder(is_deep ? path.substr(0, slash) : "", error);
    if (error) return {};
    fs::path step = parent / path.substr(is_deep ? slash + 1 : 0);
    const fs::file_status status = fs::symlink_status(step, error);
    return !error && fs::is_symlink(status) ? fs::canonical(step, error) : step;
  }

 private:
  fs::path resolve_folder(const std::string& path, std::error_code& error) {
    const auto known = folders_.find(path);
    if (known != folders_.end()) return known->second;
    const fs::path resolved = resolve(path, error);
    if (!error) folders_.emplace(path, resolved);
    return resolved;
  }

  std::map<std::string, fs::path> folders_;
};

class ModelReader {
 public:
  /// `folder` is absolute and free of symbolic links.
  explicit ModelReader(const fs::path& folder) : links_(folder) { model_.folder = folder; }

  Model read(const JsonValue& document) {
    check_version(document);
    static const Words keys{"version",  "name",     "family", "space",   "parts", "tokenizers",
                            "sampling", "defaults", "files",  "licence", "origin"};
    static const Words optional{"conditioning", "taught"};
    document.expect_keys(keys, optional);
    model_.name = document.at("name").name();
    model_.family = document.at("family").name();
    model_.space = read_space(document.at("space"));
    // Files come first: every path that parts and tokenizers name must be among them.
    for (const auto& [path, facts] : document.at("files").members()) model_.files[path] = read_file(path, facts);
    for (const auto& [name, part] : document.at("parts").members()) model_.parts[name] = read_part(part);
    for (const auto& [name, tokenizer] : document.at("tokenizers").members()) {
      model_.tokenizers[name] = read_tokenizer(tokenizer);
    }
    if (document.has("conditioning")) model_.conditioning = read_conditioning(document.at("conditioning"));
    model_.sampling = read_sampling(document.at("sampling"));
    model_.defaults = read_defaults(document.at("defaults"));
    model_.licence = document.at("licence").text();
    model_.origin = document.at("origin").text();
    if (document.has("taught")) model_.taught = read_taught(document.at("taught"));
    check_all_files_named(document.at("files"));
    return std::move(model_);
  }

 private:
  /// Before the keys: another version may well have others.
  static void check_version(const JsonValue& document) {
    const JsonValue version = document.at("version");
    const std::int64_t number = version.integer(1, largest_integer);
    if (number != format_version) {
      version.fail("is {}; this lapis reads version {}. Use a newer lapis, or export the model again", number,
                   format_version);
    }
  }

  /// Checks the file at `path` as far as that is cheap.
  FileFacts read_file(const std::string& path, const JsonValue& value) {
    if (const auto fault = path_fault(path)) value.fail("names a path that {}", *fault);
    static const Words own_keys{"sha256", "size"};
    static const Words linked_keys{"modified", "size"};
    static const Words linked_optional{"sha256"};
    FileFacts facts;
    if (value.has("modified")) {
      value.expect_keys(linked_keys, linked_optional);
      facts.modified = value.at("modified")
                           .integer(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    } else {
      value.expect_keys(own_keys);
    }
    if (value.has("sha256")) facts.sha256 = value.at("sha256").sha256();
    facts.size = static_cast<std::uint64_t>(value.at("size").integer(0, std::int64_t{1} << 48U));
    check_file(path, facts.size, facts.modified);
    return facts;
  }

  void check_file(const std::string& path, std::uint64_t recorded, std::optional<std::int64_t> modified) {
    std::error_code error;
    const fs::path file = modified ? fs::canonical(model_.folder / path, error) : links_.resolve(path, error);
    if (error) fail_file(path, core::sentence("is missing or cannot be reached: {}", error.message()));
    if (!modified && !lies_below(file, model_.folder)) {
      fail_file(path, "is a symbolic link that leads out of the model's folder");
    }
    if (!fs::is_regular_file(file, error)) fail_file(path, "is no regular file");
    const std::uintmax_t size = fs::file_size(file, error);
    if (error) fail_file(path, core::sentence("cannot be read: {}", error.message()));
    if (size != recorded) {
      fail_file(path, core::sentence("is {}: it has {} bytes, expected {}", size < recorded ? "truncated" : "too long",
                                     size, recorded));
    }
    if (modified && last_change(file) != *modified) fail_file(path, "was changed since it was imported");
    resolved_[path] = file;
  }

  [[noreturn]] void fail_file(const std::string& path, const std::string& what) const {
    throw Error(ErrorKind::model, core::sentence("{} {}.", (model_.folder / path).string(), what),
                "model.json needs this file: restore it, or export or import the model again.");
  }

  fs::path read_path(const JsonValue& value) {
    const std::string path = value.name();
    if (const auto fault = path_fault(path)) value.fail("is {}, which {}", in_quotes(path), *fault);
    if (!model_.files.contains(path)) {
      value.fail("is {}, which \"files\" does not list", in_quotes(path));
    }
    named_.insert(path);
    return resolved_.at(path);
  }

  Part read_part(const JsonValue& value) {
    static const Words keys{"graph", "weights", "inputs", "outputs"};
    static const Words optional{"naming", "prefix", "digest"};
    value.expect_keys(keys, optional);
    Part part;
    if (value.has("naming")) part.key_scheme = read_key_scheme(value.at("naming"));
    if (value.has("prefix")) part.prefix = value.at("prefix").name();
    if (value.has("digest")) part.digest = value.at("digest").sha256();
    part.graph = read_path(value.at("graph"));
    for (const JsonValue& weights : value.at("weights").items()) part.weights.push_back(read_path(weights));
    part.inputs = read_ports(value.at("inputs"));
    part.outputs = read_ports(value.at("outputs"));
    return part;
  }

  static std::string read_key_scheme(const JsonValue& value) {
    const Words names = core::row_names(core::key_schemes());
    return names[value.choice(names)];
  }

  TokenizerFacts read_tokenizer(const JsonValue& value) {
    static const Words kinds{"clip", "t5"};
    const bool is_clip = value.at("kind").choice(kinds) == 0;
    return is_clip ? read_clip_tokenizer(value) : read_t5_tokenizer(value);
  }

  TokenizerFacts read_clip_tokenizer(const JsonValue& value) {
    static const Words keys{"kind", "vocabulary", "merges", "length", "start", "end", "pad"};
    value.expect_keys(keys);
    TokenizerFacts facts;
    facts.vocabulary = read_path(value.at("vocabulary"));
    facts.merges = read_path(value.at("merges"));
    facts.length = small_integer(value.at("length"), 3, 4096);
    facts.start = small_integer(value.at("start"), 0, largest_integer);
    facts.end = small_integer(value.at("end"), 0, largest_integer);
    facts.pad = small_integer(value.at("pad"), 0, largest_integer);
    return facts;
  }

  TokenizerFacts read_t5_tokenizer(const JsonValue& value) {
    static const Words keys{"kind", "model", "length", "end", "pad"};
    static const Words optional{"extra_ids"};
    value.expect_keys(keys, optional);
    TokenizerFacts facts;
    facts.kind = TokenizerKind::t5;
    facts.model = read_path(value.at("model"));
    facts.length = small_integer(value.at("length"), 3, 4096);
    facts.end = small_integer(value.at("end"), 0, largest_integer);
    facts.pad = small_integer(value.at("pad"), 0, largest_integer);
    if (value.has("extra_ids")) facts.extra_ids = small_integer(value.at("extra_ids"), 0, 1000);
    return facts;
  }

  void check_all_files_named(const JsonValue& files) const {
    for (const auto& [path, value] : files.members()) {
      if (!named_.contains(path)) value.fail("is a file that no part and no tokenizer names");
    }
  }

  Model model_;
  LinkResolver links_;
  std::map<std::string, fs::path> resolved_;  ///< by the path that "files" has, free of symbolic links
  std::set<std::string> named_;
};

fs::path absolute_folder(const fs::path& folder) {
  std::error_code error;
  fs::path result = fs::canonical(folder, error);
  if (error) {
    throw Error(ErrorKind::model, core::sentence("there is no model folder {}: {}.", folder.string(), error.message()),
                "Name a folder that has a model.json.");
  }
  if (!fs::is_directory(result)) {
    throw Error(
        ErrorKind::model,
        core::sentence("{} is a file; a model is a folder with a model.json. Name its folder.", folder.string()));
  }
  if (!fs::exists(result / "model.json", error)) {
    if (error) {
      throw Error(ErrorKind::model, core::sentence("{} cannot be read: {}.", folder.string(), error.message()),
                  "Ask its owner for the right to enter it: chmod +rx");
    }
    const bool diffusers = fs::exists(result / "model_index.json", error);
    throw Error(ErrorKind::model, core::sentence("{} has no model.json, so it is no model folder.", folder.string()),
                (diffusers ? core::marked("It is a diffusers folder. Make a model of it: {lapis import} FOLDER")
                           : "Name a folder that has one."));
  }
  return result;
}

bool is_worth_reading(const FileFacts& facts, bool linked_too) {
  return !facts.sha256.empty() && (linked_too || !facts.modified);
}

/// The digest of a file, which is read once in the life of the process, and again where it changed: a batch that draws
/// a thousand pictures reads its model once. Safe to call from many threads.
std::string known_digest(const fs::path& path) {
  static std::mutex mutex;
  static std::map<fs::path, std::pair<FileStamp, std::string>> known;
  const std::optional<FileStamp> stamp = stamp_of(path);
  if (stamp) {
    const std::lock_guard lock(mutex);
    const auto found = known.find(path);
    if (found != known.end() && found->second.first == *stamp) return found->second.second;
  }
  std::string digest = sha256_file(path, ErrorKind::model);
  if (!stamp || stamp_of(path) != stamp) return digest;
  const std::lock_guard lock(mutex);
  known.insert_or_assign(path, std::pair(*stamp, digest));
  return digest;
}

/// What is wrong with one file of a model, or none.
std::optional<Error> digest_fault(const fs::path& path, const FileFacts& facts) {
  try {
    const std::string found = known_digest(path);
    if (found == facts.sha256) return std::nullopt;
    return Error(
        ErrorKind::model,
        core::sentence("{} has been altered: expected sha256 {}, found {}.", path.string(), facts.sha256, found),
        "Restore the file, or export the model again.");
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return memory_shortage();
  }
}

/// A file to be compared with its digest.
struct Work {
  std::string name;
  const FileFacts* facts;
  std::optional<Error> fault;
};

void verify(const Model& model, std::vector<Work> work) {
  constexpr std::uint64_t worth_a_thread = 4U << 20U;
  std::uint64_t total = 0;
  for (const Work& item : work) total += item.facts->size;
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
    if (item.fault) throw Error(*item.fault);
  }
}

}  // namespace

std::string name_in(const Model& model, const fs::path& path) {
  return path.lexically_relative(model.folder).generic_string();
}

std::int64_t last_change(const fs::path& file) {
  const auto time = std::chrono::file_clock::to_sys(fs::last_write_time(file));
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

Model read_model(const fs::path& folder) {
  const fs::path absolute = absolute_folder(folder);
  const JsonSource source{(absolute / "model.json").string(), ErrorKind::model, model_json_advice, longest_document};
  const nlohmann::json document = read_json(source);
  return ModelReader(absolute).read(JsonValue(document, source));
}

void verify_files(const Model& model, bool linked_too) {
  std::vector<Work> work;
  for (const auto& [name, facts] : model.files) {
    if (is_worth_reading(facts, linked_too)) work.push_back({name, &facts, std::nullopt});
  }
  verify(model, std::move(work));
}

void verify_parts(const Model& model, std::span<const std::string> parts) {
  std::set<fs::path> wanted;
  for (const std::string& name : parts) {
    const auto part = model.parts.find(name);
    if (part == model.parts.end()) continue;
    wanted.insert(part->second.graph);
    wanted.insert(part->second.weights.begin(), part->second.weights.end());
  }
  std::vector<Work> work;
  for (const auto& [name, facts] : model.files) {
    // A part's paths are free of symbolic links; a name in the list may be one. One that is gone is a fault of the
    // model.
    std::error_code gone;
    const fs::path file = fs::canonical(model.folder / name, gone);
    if (!is_worth_reading(facts, false)) continue;
    if (gone || wanted.contains(file)) work.push_back({name, &facts, std::nullopt});
  }
  verify(model, std::move(work));
}

}  // namespace lapis::io
