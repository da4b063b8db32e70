#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"
#include "io/report/import_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/import/import_model.hpp"

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
  pipeline::ImportAsked asked;
  OutputOptions outputs;
};

/// Notes on stderr, then the folder. `tried`: the parts are TorchScript files.
void print_report(const Options& options, io::ImportReport report, bool tried) {
  report.notes = spelled(report.notes);
  for (const std::string& note : report.notes) print_note(note);
  if (options.outputs.json) {
    print_json(io::import_line(report));
    return;
  }
  print_note(core::sentence("{}: {}, space {}{}", report.name, report.title, report.space,
                            tried ? "; every part was tried" : ""));
  for (const io::ImportedPartReport& part : report.parts) {
    const std::string what =
        tried ? part.files.front() : core::sentence("{}, {}, names of {}", part.graph, part.dtype, part.key_scheme);
    print_note(core::sentence("  {}: {}", part.part, what));
  }
  if (options.asked.target.dry_run) {
    print_note(core::sentence("nothing was made; it would be {}", report.path));
  } else {
    print_line(report.path);
  }
}

/// Whether a model is where the new one would go, and is to stay; then that is said.
bool stays_as_it_is(const Options& options) {
  if (!options.outputs.skip_existing) return false;
  const fs::path place = pipeline::import_place(options.asked);
  if (!stays(options.outputs, (place / "model.json").string())) return false;
  std::error_code error;
  const fs::path whole = fs::canonical(place, error);  // as of a model that is made
  report_skipped(options.outputs, (error ? place : whole).string(), std::nullopt, options.asked.target.dry_run);
  return true;
}

int import_asked(Options& options) {
  check_output(options.outputs);
  options.asked.target.overwrite = options.outputs.overwrite;
  pipeline::ModelCatalog catalog;
  if (options.asked.graphs.graphs.empty()) {
    if (options.asked.sources.main.empty()) {
      throw Error(ErrorKind::usage,
                  "there is nothing to import. Name a diffusers folder, a checkpoint's files, or "
                  "TorchScript files (--torchscript)");
    }
    if (!options.asked.graphs.family.empty() || !options.asked.graphs.like.empty()) {
      throw Error(ErrorKind::usage,
                  "--family and --like are for --torchscript: a checkpoint says itself what it is. Leave them out");
    }
    if (stays_as_it_is(options)) return 0;
    const io::ImportReport report = pipeline::import_checkpoint(options.asked, catalog);
    print_report(options, report, false);
    return 0;
  }
  const pipeline::ImportSources& sources = options.asked.sources;
  if (!sources.main.empty() || !(sources.vae + sources.clip_l + sources.clip_g + sources.t5xxl).empty()) {
    throw Error(ErrorKind::usage, "--torchscript makes a model of graphs alone, and does not go with a checkpoint.",
                "Name every part as --torchscript PART=FILE, or import the checkpoint");
  }
  if (stays_as_it_is(options)) return 0;
  const io::ImportReport report = pipeline::import_graphs(options.asked, catalog);
  print_report(options, report, true);
  return 0;
}

/// The files behind --torchscript's own are more parts, but for what is plainly a checkpoint.
void take_graphs(Options& options) {
  if (options.asked.graphs.graphs.empty()) return;
  const auto is_checkpoint = [](const std::string& word) {
    std::error_code ignored;
    return word.ends_with(".safetensors") || fs::is_directory(word, ignored);
  };
  std::vector<std::string>& words = options.asked.sources.main;
  const auto first = std::stable_partition(words.begin(), words.end(), is_checkpoint);
  options.asked.graphs.graphs.insert(options.asked.graphs.graphs.end(), first, words.end());
  words.erase(first, words.end());
}

}  // namespace

Run declare_import(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  pipeline::ImportSources& sources = options->asked.sources;
  const OptionGroup plain(app);
  plain.value("source", sources.main, "FOLDER|FILE", "A diffusers folder, or the files of a checkpoint");
  const OptionGroup graphs(app, "TorchScript");
  graphs.value("--torchscript", options->asked.graphs.graphs, "[PART=]FILE",
               "Exported parts with their weights inside; tried before they are taken");
  graphs.value("--family", options->asked.graphs.family, "NAME", "What they are: sd15, sdxl, flux");
  graphs.value("--like", options->asked.graphs.like, "MODEL",
               "Or a model with the same space, schedule and tokenizers");
  const OptionGroup others(app, "What the checkpoint does not hold");
  others.value("--vae", sources.vae, "FILE", "Its VAE; in place of the checkpoint's own too");
  others.value("--clip-l", sources.clip_l, "FILE", "CLIP-L, the text encoder");
  others.value("--clip-g", sources.clip_g, "FILE", "OpenCLIP-bigG, the second one of SDXL");
  others.value("--t5xxl", sources.t5xxl, "FILE", "T5-XXL, the second one of Flux");
  others.value("--tokenizer", sources.tokenizer, "FILE", "T5's SentencePiece model (spiece.model)");
  others.value("--prediction", sources.sampling.prediction, "NAME",
               "epsilon or v, where no file says it, or says it wrongly");
  others.value("--zero-snr", sources.sampling.zero_snr, "NAME", "on: trained with zero terminal SNR; off: not");
  others.value("--lineage", options->asked.lineage, "NAME",
               "Training its VAE comes from, where it is not the published one");
  const OptionGroup output(app, "Output");
  pipeline::ImportTarget& target = options->asked.target;
  output.value("--name", target.name, "NAME", "Of the model (the source's)");
  output.value("-o,--output", target.output, "FOLDER", "Folder to make (NAME among your own models)");
  output.value("--licence", options->asked.licence, "TEXT", "Of the weights, for the record");
  output.flag("--copy", target.copy, "Copy the weights; else the model links to them");
  output.flag("--verify", target.verify, "Record the sha256 of all weights, which reads them whole");
  output.flag("--dry-run", target.dry_run, "Say what would become of it; make nothing");
  declare_output(app, options->outputs, "One JSON line on stdout");
  app.footer(footer);
  return [options] {
    take_graphs(*options);
    return import_asked(*options);
  };
}

}  // namespace lapis::cli
