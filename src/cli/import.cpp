#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"
#include "io/report/import_report.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/import/import_model.hpp"

namespace lapis::cli {
namespace {

constexpr const char* import_footer =
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

struct ImportOptions {
  pipeline::ImportAsked asked;
  pipeline::ComputeOptions compute = {.device = "cpu", .dtype = "fp32"};
  OutputOptions outputs;
};

/// Notes on stderr, then the folder. `tried`: the parts are TorchScript files.
void print_report(const ImportOptions& options, io::ImportReport report, bool tried) {
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

int import_asked(const ImportOptions& options) {
  check_output(options.outputs);
  pipeline::ImportAsked asked = options.asked;
  asked.target.overwrite = options.outputs.overwrite;
  asked.target.skip_existing = options.outputs.skip_existing;
  asked.engine = engine_options(options.compute);
  asked.compute = options.compute.named;
  asked = pipeline::sorted_import(std::move(asked));
  if (const auto place = pipeline::model_that_stays(asked)) {
    report_skipped(options.outputs, place->string(), std::nullopt, asked.target.dry_run);
    return 0;
  }
  pipeline::ModelCatalog catalog;
  print_report(options, pipeline::import_model(asked, catalog), asked.has_graphs());
  return 0;
}

}  // namespace

Run declare_import(CLI::App& app) {
  const auto options = std::make_shared<ImportOptions>();
  pipeline::ImportSources& sources = options->asked.sources;
  const OptionGroup plain(app);
  plain.value("source", sources.main, "FOLDER|FILE", "A diffusers folder, or the files of a checkpoint");
  const OptionGroup graphs(app, "TorchScript");
  graphs.value("--torchscript", options->asked.graphs.graphs, "[PART=]FILE",
               "Exported parts with their weights inside; tried before they are taken");
  graphs.value("--family", options->asked.graphs.family, "NAME",
               core::sentence("What they are: {}", core::either_of(pipeline::graph_families())));
  graphs.value("--like", options->asked.graphs.like, "MODEL",
               "Or a model with the same space, schedule and tokenizers");
  declare_machine(app, options->compute, "TorchScript");
  const std::vector<std::string> snrs = core::wished_snrs();
  const OptionGroup others(app, "What the checkpoint does not hold");
  others.value("--vae", sources.vae, "FILE", "Its VAE; in place of the checkpoint's own too");
  others.value("--clip-l", sources.clip_l, "FILE", "CLIP-L, the text encoder");
  others.value("--clip-g", sources.clip_g, "FILE", "OpenCLIP-bigG, the second one of SDXL");
  others.value("--t5xxl", sources.t5xxl, "FILE", "T5-XXL, the second one of Flux");
  others.value("--tokenizer", sources.tokenizer, "FILE", "T5's SentencePiece model (spiece.model)");
  others.value(
      "--prediction", sources.sampling.prediction, "NAME",
      core::sentence("{}, where no file says it, or says it wrongly", core::either_of(core::wished_predictions())));
  others.value("--zero-snr", sources.sampling.zero_snr, "NAME",
               core::sentence("{}: trained with zero terminal SNR; {}: not", snrs[0], snrs[1]));
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
  app.footer(import_footer);
  return [options] { return import_asked(*options); };
}

}  // namespace lapis::cli
