#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/engine_library.hpp"
#include "cli/import_graphs.hpp"
#include "cli/import_plan.hpp"
#include "cli/import_sampling.hpp"
#include "cli/model_draft.hpp"
#include "cli/places.hpp"
#include "cli/terminal.hpp"
#include "core/text/job_limits.hpp"
#include "core/family/spaces.hpp"
#include "io/report/import_report.hpp"
#include "io/model/model_weights.hpp"
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
    "  lapis import --torchscript denoiser.pt text_encoder.pt vae_decoder.pt --family sd15 --name mine\n"
    "  lapis generate \"a serene lakeside at sunset\" -m sd15\n"
    "\n"
    "Tells by names and shapes of tensors what a checkpoint is. Weights stay where they are: the model\n"
    "links to them (--copy copies), and is refused when they change.";

struct Options {
  ImportSources sources;
  GraphSources graphs;
  ModelPlace place;
  std::string lineage;
  std::string licence = "not stated";
  bool json = false;
};

/// Where the model goes, knowing what it is made of.
ModelPlace place_of(const Options& options) {
  ModelPlace place = options.place;
  if (place.dry_run) place.copy = place.verify = false;
  const ImportSources& sources = options.sources;
  place.sources = sources.main;
  for (const std::string& file : {sources.vae, sources.clip_l, sources.clip_g, sources.t5xxl, sources.tokenizer}) {
    if (!file.empty()) place.sources.push_back(file);
  }
  return place;
}

/// A source by its own name, which "." and ".." have too.
fs::path source_path(const std::string& source) {
  std::error_code error;
  const fs::path path = fs::absolute(source, error).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

/// The name of a model out of the name of what it comes from.
std::string name_of(const std::string& source) {
  const fs::path path = source_path(source);
  std::error_code error;
  std::string name = fs::is_directory(path, error) ? path.filename() : path.stem();
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return name;
}

void print_place(const Options& options, const fs::path& place) {
  if (options.place.dry_run) {
    print_note("nothing was made; it would be " + place.string());
  } else {
    print_line(place.string());
  }
}

/// The run of one `import`, from a plan to a folder.
class Import {
 public:
  explicit Import(const Options& options) : options_(options), plan_(options.sources), model_(plan_.model()) {}

  int run() {
    model_.name = options_.place.name.empty() ? name_of(options_.sources.main.front()) : options_.place.name;
    if (!options_.lineage.empty()) model_.space.lineage = options_.lineage;
    model_.licence = options_.licence;
    model_.origin = std::string(imported) + source_path(options_.sources.main.front()).filename().string();
    check_numbers();
    const fs::path place = make_model(model_, place_of(options_), [&](ModelDraft& draft) {
      take_parts(draft);
      take_tokenizers(draft);
      widened_ = io::weight_facts(model_).widened;
    });
    report(place);
    return 0;
  }

 private:
  void check_numbers() const {
    for (const ImportedPart& part : plan_.parts()) {
      const io::WeightFaults faults = part.checkpoint->faults_of(part.held, part.graph.known, options_.place.verify);
      if (faults.count == 0) continue;
      const std::vector<fs::path> files = part.checkpoint->files_of(part.held, part.graph.known);
      throw Error(ErrorKind::input,
                  files.front().string() + ": part " + part.part + " has " + std::to_string(faults.count) +
                      (faults.count == 1 ? " tensor" : " tensors") +
                      " with numbers that are not finite: " + faults.first + ".",
                  "Nothing can be drawn with it. Take another checkpoint, or this one in another precision.");
    }
  }

  void take_parts(ModelDraft& draft) {
    std::map<std::string, std::future<std::string>> digests;
    for (const ImportedPart& part : plan_.parts()) {
      if (!part.part.starts_with("vae") || options_.place.dry_run) continue;
      digests[part.part] =
          std::async(std::launch::async, [&part] { return part.checkpoint->digest_of(part.held, part.graph.known); });
    }
    for (const ImportedPart& imported : plan_.parts()) {
      Part part;
      part.graph = draft.put(imported.graph.file, "graphs/" + imported.part + ".pt");
      for (const fs::path& file : imported.checkpoint->files_of(imported.held, imported.graph.known)) {
        part.weights.push_back(draft.link(file));
      }
      part.inputs = imported.graph.inputs;
      part.outputs = imported.graph.outputs;
      part.key_scheme = core::naming_row(imported.held.key_scheme).name;
      part.prefix = imported.held.prefix;
      if (digests.contains(imported.part)) part.digest = digests.at(imported.part).get();
      model_.parts[imported.part] = std::move(part);
    }
  }

  void take_tokenizers(ModelDraft& draft) {
    for (auto& [name, facts] : model_.tokenizers) draft.take_tokenizer(name, facts);
  }

  /// A model of the same name that is no longer found by it.
  std::optional<fs::path> hidden_model(const fs::path& place) const {
    if (!options_.place.output.empty() || options_.place.dry_run) return std::nullopt;
    std::error_code error;
    for (const fs::path& folder : model_places()) {
      const fs::path other = folder / model_.name;
      if (fs::exists(other / "model.json", error) && !fs::equivalent(other, place, error)) return other;
    }
    return std::nullopt;
  }

  void report(const fs::path& place) const {
    std::vector<std::string> notes = plan_.notes();
    if (widened_ > 0) {
      notes.push_back("weights in half precision take " + core::bytes_text(widened_) +
                      " of memory where they are widened to fp32: on a CPU, unless --dtype says otherwise");
    }
    if (const auto hidden = hidden_model(place)) {
      notes.push_back("-m " + model_.name + " means this model from now on, and " + hidden->string() + " by its path");
    }
    for (const std::string& note : notes) print_note(note);
    io::ImportReport report{
        place.string(), model_.name,          plan_.title(), model_.family, core::space_name(model_.space), {},
        notes,          seconds_since(start_)};
    for (const ImportedPart& part : plan_.parts()) {
      std::vector<std::string> files;
      for (const fs::path& file : part.checkpoint->files_of(part.held, part.graph.known))
        files.push_back(file.string());
      report.parts.push_back({part.part, part.graph.known.name, core::naming_row(part.held.key_scheme).name,
                              part.checkpoint->dtypes_of(part.held, part.graph.known), std::move(files)});
    }
    if (options_.json) {
      print_json(io::import_line(report));
      return;
    }
    print_note(model_.name + ": " + plan_.title() + ", space " + report.space);
    for (const io::ImportedPartReport& part : report.parts) {
      print_note("  " + part.part + ": " + part.graph + ", " + part.dtype + ", names of " + part.key_scheme);
    }
    print_place(options_, place);
  }

  const Options& options_;
  const Clock::time_point start_ = Clock::now();
  ImportPlan plan_;
  Model model_;
  std::uint64_t widened_ = 0;  ///< bytes of memory
};

/// The run of one `import --torchscript`.
class GraphsImport {
 public:
  explicit GraphsImport(const Options& options) : options_(options), plan_(options.graphs, options.sources.tokenizer) {}

  int run() {
    if (options_.place.name.empty() && options_.place.output.empty()) {
      throw Error(ErrorKind::usage, "files have no name for a model. Give it one: --name NAME");
    }
    const std::unique_ptr<Engine> engine = open_engine({"cpu", "fp32", 0}).get();
    plan_.try_parts(*engine);
    model_ = plan_.model();
    model_.name = options_.place.name.empty() ? name_of(options_.place.output) : options_.place.name;
    if (!options_.lineage.empty()) model_.space.lineage = options_.lineage;
    SamplingSources sampling;
    sampling.title = "family " + model_.family;
    sampling.wish = options_.sources.sampling;
    decide_sampling(sampling, model_, sampling_notes_);
    model_.licence = options_.licence;
    model_.origin = std::string(imported) + "TorchScript files";
    const std::map<std::string, Part> parts = std::exchange(model_.parts, {});
    const fs::path place = make_model(model_, place_of(options_), [&](ModelDraft& draft) {
      for (const auto& [name, part] : parts) take_part(draft, name, part);
      for (auto& [name, facts] : model_.tokenizers) draft.take_tokenizer(name, facts);
    });
    report(place, parts);
    return 0;
  }

 private:
  void take_part(ModelDraft& draft, const std::string& name, Part part) {
    part.graph = draft.link(part.graph, "graphs", true);
    const std::string below = part.graph.lexically_relative(model_.folder).generic_string();
    if (name.starts_with("vae")) part.digest = model_.files.at(below).sha256;
    model_.parts[name] = std::move(part);
  }

  void report(const fs::path& place, const std::map<std::string, Part>& parts) const {
    io::ImportReport report{place.string(),
                            model_.name,
                            "graphs of family " + model_.family,
                            model_.family,
                            core::space_name(model_.space),
                            {},
                            plan_.notes(),
                            seconds_since(start_)};
    report.notes.insert(report.notes.end(), sampling_notes_.begin(), sampling_notes_.end());
    for (const auto& [name, part] : parts) report.parts.push_back({name, "its own", "", "", {part.graph.string()}});
    for (const std::string& note : report.notes) print_note(note);
    if (options_.json) {
      print_json(io::import_line(report));
      return;
    }
    print_note(model_.name + ": " + report.title + ", space " + report.space + "; every part was tried");
    for (const auto& [name, part] : parts) print_note("  " + name + ": " + part.graph.string());
    print_place(options_, place);
  }

  const Options& options_;
  const Clock::time_point start_ = Clock::now();
  GraphPlan plan_;
  Model model_;
  std::vector<std::string> sampling_notes_;
};

int import_asked(const Options& options) {
  if (options.graphs.graphs.empty()) {
    if (options.sources.main.empty()) {
      throw Error(ErrorKind::usage,
                  "there is nothing to import. Name a diffusers folder, a checkpoint's files, or "
                  "TorchScript files (--torchscript)");
    }
    if (!options.graphs.family.empty() || !options.graphs.like.empty()) {
      throw Error(ErrorKind::usage,
                  "--family and --like are for --torchscript: a checkpoint says itself what it is. Leave them out");
    }
    return Import(options).run();
  }
  const ImportSources& sources = options.sources;
  if (!sources.main.empty() || !(sources.vae + sources.clip_l + sources.clip_g + sources.t5xxl).empty()) {
    throw Error(ErrorKind::usage, "--torchscript makes a model of graphs alone, and does not go with a checkpoint.",
                "Name every part as --torchscript PART=FILE, or import the checkpoint");
  }
  return GraphsImport(options).run();
}

/// The files behind --torchscript's own are more parts, but for what is plainly a checkpoint.
void take_graphs(Options& options) {
  if (options.graphs.graphs.empty()) return;
  const auto is_checkpoint = [](const std::string& word) {
    std::error_code ignored;
    return word.ends_with(".safetensors") || fs::is_directory(word, ignored);
  };
  std::vector<std::string>& words = options.sources.main;
  const auto first = std::stable_partition(words.begin(), words.end(), is_checkpoint);
  options.graphs.graphs.insert(options.graphs.graphs.end(), first, words.end());
  words.erase(first, words.end());
}

}  // namespace

Run declare_import(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  ImportSources& sources = options->sources;
  app.add_option("source", sources.main, "A diffusers folder, or the files of a checkpoint")->type_name("FOLDER|FILE");
  const char* const graphs = "TorchScript";
  app.add_option("--torchscript", options->graphs.graphs,
                 "Exported parts with their weights inside; tried before they are taken")
      ->type_name("[PART=]FILE")
      ->group(graphs);
  app.add_option("--family", options->graphs.family, "What they are: sd15, sdxl, flux")
      ->type_name("NAME")
      ->group(graphs);
  app.add_option("--like", options->graphs.like, "Or a model with the same space, schedule and tokenizers")
      ->type_name("MODEL")
      ->group(graphs);
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
  app.add_option("--prediction", sources.sampling.prediction, "epsilon or v, where no file says it, or says it wrongly")
      ->type_name("NAME")
      ->group(others);
  app.add_option("--zero-snr", sources.sampling.zero_snr, "on: trained with zero terminal SNR; off: not")
      ->type_name("NAME")
      ->group(others);
  app.add_option("--lineage", options->lineage, "Training its VAE comes from, where it is not the published one")
      ->type_name("NAME")
      ->group(others);
  const char* const output = "Output";
  app.add_option("--name", options->place.name, "Of the model (the source's)")->type_name("NAME")->group(output);
  app.add_option("-o,--output", options->place.output, "Folder to make (NAME among your own models)")
      ->type_name("FOLDER")
      ->group(output);
  app.add_option("--licence", options->licence, "Of the weights, for the record")->type_name("TEXT")->group(output);
  app.add_flag("--copy", options->place.copy, "Copy the weights; else the model links to them")->group(output);
  app.add_flag("--verify", options->place.verify, "Record the sha256 of all weights, which reads them whole")
      ->group(output);
  app.add_flag("--json", options->json, "One JSON line on stdout")->group(output);
  app.add_flag("--overwrite", options->place.overwrite, "Replace a model that is there")->group(output);
  app.add_flag("--dry-run", options->place.dry_run, "Say what would become of it; make nothing")->group(output);
  app.footer(footer);
  return [options] {
    take_graphs(*options);
    return import_asked(*options);
  };
}

}  // namespace lapis::cli
