#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/import_plan.hpp"
#include "cli/places.hpp"
#include "cli/terminal.hpp"
#include "core/job_limits.hpp"
#include "core/model_check.hpp"
#include "core/spaces.hpp"
#include "io/atomic_file.hpp"
#include "io/import_report.hpp"
#include "io/mapped_file.hpp"
#include "io/model_folder.hpp"
#include "io/model_weights.hpp"
#include "io/model_writer.hpp"
#include "io/sha256.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis import v1-5-pruned-emaonly.safetensors --name sd15\n"
    "  lapis import ./stable-diffusion-xl-base-1.0\n"
    "  lapis import flux1-dev.safetensors --vae ae.safetensors --clip-l clip_l.safetensors \\\n"
    "      --t5xxl t5xxl_fp16.safetensors --tokenizer spiece.model --name flux-dev\n"
    "  lapis generate \"a serene lakeside at sunset\" -m sd15\n"
    "\n"
    "Tells by names and shapes of tensors what a checkpoint is. Weights stay where they are: the model\n"
    "links to them (--copy copies), and is refused when they change.";

struct Options {
  ImportSources sources;
  std::string name;
  std::string output;
  std::string lineage;
  std::string licence = "not stated";
  bool copy = false;
  bool verify = false;
  bool json = false;
  bool overwrite = false;
};

/// The name of a model out of the name of what it comes from.
std::string name_of(const std::string& source) {
  fs::path path = fs::path(source).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::string name = fs::is_directory(path) ? fs::absolute(path).filename() : path.stem();
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return name;
}

/// A folder that becomes the model's when all of it is there, and goes where it does not.
class NewFolder {
 public:
  NewFolder(fs::path place, bool overwrite) : place_(std::move(place)), overwrite_(overwrite) {
    std::error_code error;
    if (fs::exists(place_, error) && !overwrite_) {
      throw Error(ErrorKind::output,
                  place_.string() + " exists already. Choose another --name, or replace it: --overwrite");
    }
    if (fs::exists(place_, error) && !fs::exists(place_ / "model.json", error)) {
      throw Error(ErrorKind::output,
                  place_.string() + " exists and is no model, so it is not replaced. Choose another name");
    }
    fs::create_directories(place_.parent_path(), error);
    if (error) fail(place_.parent_path(), error);
    draft_ = place_.parent_path() / ("." + place_.filename().string() + ".importing");
    fs::remove_all(draft_, error);
    fs::create_directories(draft_, error);
    if (error) fail(draft_, error);
  }

  ~NewFolder() {
    std::error_code ignored;
    if (!draft_.empty()) fs::remove_all(draft_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& draft() const { return draft_; }

  void keep() {
    std::error_code error;
    if (overwrite_) fs::remove_all(place_, error);
    fs::rename(draft_, place_, error);
    if (error) fail(place_, error);
    draft_.clear();
  }

 private:
  [[noreturn]] static void fail(const fs::path& path, const std::error_code& error) {
    throw Error(ErrorKind::output, path.string() + " cannot be made: " + error.message() +
                                       ".\nName a folder that you may write to: -o FOLDER");
  }

  fs::path place_;
  fs::path draft_;
  bool overwrite_;
};

/// The run of one `import`, from a plan to a folder.
class Import {
 public:
  explicit Import(const Options& options) : options_(options), plan_(options.sources), model_(plan_.model()) {}

  int run() {
    model_.name = options_.name.empty() ? name_of(options_.sources.main.front()) : options_.name;
    if (model_.name.empty() || model_.name.find('/') != std::string::npos || model_.name.front() == '.') {
      throw Error(ErrorKind::usage, "\"" + model_.name + "\" cannot be a model's name. Give it one: --name NAME");
    }
    if (!options_.lineage.empty()) model_.space.lineage = options_.lineage;
    model_.licence = options_.licence;
    model_.origin = "imported from " + fs::path(options_.sources.main.front()).filename().string();
    const fs::path place = destination();
    try {
      write(place);
    } catch (const fs::filesystem_error& error) {
      throw Error(ErrorKind::output, place.string() + " cannot be made: " + error.code().message() + " at " +
                                         error.path1().string() + ".\nMake room, or name another folder: -o FOLDER");
    }
    report(place);
    return 0;
  }

 private:
  void check_numbers() const {
    for (const ImportedPart& part : plan_.parts()) {
      const io::WeightFaults faults = part.checkpoint->faults_of(part.held, part.graph->known, options_.verify);
      if (faults.count == 0) continue;
      const std::vector<fs::path> files = part.checkpoint->files_of(part.held, part.graph->known);
      throw Error(ErrorKind::input, files.front().string() + ": part " + part.part + " has " +
                                        std::to_string(faults.count) + (faults.count == 1 ? " tensor" : " tensors") +
                                        " with numbers that are not finite: " + faults.first +
                                        ".\nNothing can be drawn with it. Fetch it again, or take another checkpoint.");
    }
  }

  void write(const fs::path& place) {
    check_numbers();
    NewFolder folder(place, options_.overwrite);
    model_.folder = folder.draft();
    take_parts();
    take_tokenizers();
    const std::string document = io::model_document(model_);
    io::write_file(model_.folder / "model.json", std::as_bytes(std::span(document)), false);
    const Model written = io::read_model(model_.folder);
    core::check_model(written);
    weights_ = io::weight_facts(written);
    folder.keep();
  }

  fs::path destination() const {
    if (!options_.output.empty()) return fs::absolute(options_.output);
    const fs::path own = user_models();
    if (own.empty()) throw Error(ErrorKind::usage, "there is no home folder to put the model in. Name one: -o FOLDER");
    return own / model_.name;
  }

  /// Puts a small file into the folder; returns where it lies there.
  fs::path put(const fs::path& from, const std::string& to) {
    const io::MappedFile file(from, ErrorKind::input);
    const fs::path target = model_.folder / to;
    fs::create_directories(target.parent_path());
    if (!fs::exists(target)) io::write_file(target, file.bytes(), false);
    model_.files[to] = {io::sha256(file.bytes()), file.bytes().size(), std::nullopt};
    return target;
  }

  /// Links to a file of weights, or copies it; each once.
  fs::path link(const fs::path& from) {
    const fs::path whole = fs::canonical(from);
    if (const auto known = linked_.find(whole); known != linked_.end()) return model_.folder / known->second;
    std::string name = "weights/" + whole.filename().string();
    for (int i = 2; model_.files.contains(name); ++i) {
      name = "weights/" + std::to_string(i) + "-" + whole.filename().string();
    }
    fs::create_directories(model_.folder / "weights");
    FileFacts facts{"", fs::file_size(whole), std::nullopt};
    if (options_.copy) {
      fs::copy_file(whole, model_.folder / name);
      facts.sha256 = io::sha256_file(model_.folder / name, ErrorKind::output);
    } else {
      fs::create_symlink(whole, model_.folder / name);
      facts.modified = io::last_change(whole);
      if (options_.verify) facts.sha256 = io::sha256_file(whole, ErrorKind::input);
    }
    model_.files[name] = facts;
    linked_[whole] = name;
    return model_.folder / name;
  }

  void take_parts() {
    std::map<std::string, std::future<std::string>> digests;
    for (const ImportedPart& part : plan_.parts()) {
      if (!part.part.starts_with("vae")) continue;
      digests[part.part] =
          std::async(std::launch::async, [&part] { return part.checkpoint->digest_of(part.held, part.graph->known); });
    }
    for (const ImportedPart& imported : plan_.parts()) {
      Part part;
      part.graph = put(imported.graph->file, "graphs/" + imported.part + ".pt");
      for (const fs::path& file : imported.checkpoint->files_of(imported.held, imported.graph->known)) {
        part.weights.push_back(link(file));
      }
      part.inputs = imported.graph->inputs;
      part.outputs = imported.graph->outputs;
      part.naming = core::naming_row(imported.held.naming).name;
      part.prefix = imported.held.prefix;
      if (digests.contains(imported.part)) part.digest = digests.at(imported.part).get();
      model_.parts[imported.part] = std::move(part);
    }
  }

  void take_tokenizers() {
    for (auto& [name, facts] : model_.tokenizers) {
      if (facts.kind == TokenizerKind::t5) {
        facts.model = put(facts.model, name + "/spiece.model");
      } else {
        facts.vocabulary = put(facts.vocabulary, name + "/vocab.json");
        facts.merges = put(facts.merges, name + "/merges.txt");
      }
    }
  }

  void report(const fs::path& place) const {
    std::vector<std::string> notes = plan_.notes();
    if (weights_.widened > 0) {
      notes.push_back("weights in half precision take " + core::bytes_text(weights_.widened) +
                      " of memory where they are widened to fp32: on a CPU, unless --dtype says otherwise");
    }
    for (const std::string& note : notes) print_note(note);
    io::ImportReport report{
        place.string(), model_.name,          plan_.title(), model_.family, core::space_name(model_.space), {},
        notes,          seconds_since(start_)};
    for (const ImportedPart& part : plan_.parts()) {
      std::vector<std::string> files;
      for (const fs::path& file : part.checkpoint->files_of(part.held, part.graph->known))
        files.push_back(file.string());
      report.parts.push_back({part.part, part.graph->known.name, core::naming_row(part.held.naming).name,
                              part.checkpoint->dtypes_of(part.held, part.graph->known), std::move(files)});
    }
    if (options_.json) {
      print_line(io::import_line(report));
      return;
    }
    print_note(model_.name + ": " + plan_.title() + ", space " + report.space);
    for (const io::ImportedPartReport& part : report.parts) {
      print_note("  " + part.part + ": " + part.graph + ", " + part.dtype + ", names of " + part.naming);
    }
    print_line(place.string());
  }

  const Options& options_;
  const Clock::time_point start_ = Clock::now();
  ImportPlan plan_;
  Model model_;
  std::map<fs::path, std::string> linked_;
  io::WeightFacts weights_;
};

}  // namespace

Run declare_import(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  ImportSources& sources = options->sources;
  app.add_option("source", sources.main, "A diffusers folder, or the files of a checkpoint")
      ->type_name("FOLDER|FILE")
      ->required();
  const char* const others = "What the checkpoint does not hold";
  app.add_option("--vae", sources.vae, "Its VAE; in place of the checkpoint's own too")
      ->type_name("FILE")
      ->group(others);
  app.add_option("--clip-l", sources.clip_l, "CLIP-L, the text encoder")->type_name("FILE")->group(others);
  app.add_option("--clip-g", sources.clip_g, "OpenCLIP-bigG, the second one of SDXL")->type_name("FILE")->group(others);
  app.add_option("--t5xxl", sources.t5xxl, "T5-XXL, the second one of Flux")->type_name("FILE")->group(others);
  app.add_option("--tokenizer", sources.tokenizer, "T5's SentencePiece model (spiece.model)")
      ->type_name("FILE")
      ->group(others);
  app.add_option("--prediction", sources.prediction, "epsilon or v, where no scheduler's configuration says it")
      ->type_name("NAME")
      ->group(others);
  app.add_option("--lineage", options->lineage, "Training its VAE comes from, where it is not the published one")
      ->type_name("NAME")
      ->group(others);
  const char* const output = "Output";
  app.add_option("--name", options->name, "Of the model (the source's)")->type_name("NAME")->group(output);
  app.add_option("-o,--output", options->output, "Folder to make (NAME among your own models)")
      ->type_name("FOLDER")
      ->group(output);
  app.add_option("--licence", options->licence, "Of the weights, for the record")->type_name("TEXT")->group(output);
  app.add_flag("--copy", options->copy, "Copy the weights; else the model links to them")->group(output);
  app.add_flag("--verify", options->verify, "Record the sha256 of all weights, which reads them whole")->group(output);
  app.add_flag("--json", options->json, "One JSON line on stdout")->group(output);
  app.add_flag("--overwrite", options->overwrite, "Replace a model that is there")->group(output);
  app.footer(footer);
  return [options] { return Import(*options).run(); };
}

}  // namespace lapis::cli
