#include "pipeline/inspect.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "cli/terminal_picture.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/prompt/prompt_file.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/inspect_text.hpp"

namespace lapis::cli {
namespace {

struct InspectOptions {
  pipeline::InspectAsked asked;
  std::string tokens;  ///< as it is typed
  bool json = false;
};

std::string report_of(const pipeline::InspectedModel& found) { return io::model_report(found.model); }

std::string report_of(const pipeline::InspectedTokens& found) {
  return io::tokens_report(found.prompts, found.syntax, spelled(found.warnings));
}

std::string report_of(const pipeline::InspectedDrift& found) { return io::drift_report(found.model, found.drifts); }

std::string report_of(const pipeline::InspectedPicture& found) { return io::picture_report(found.format, found.facts); }

std::string report_of(const pipeline::InspectedLatent& found) { return io::inspection_report(found.facts); }

void print(const pipeline::InspectedModel& found) {
  print_table(pipeline::model_rows(found.model));
  for (const std::string& line : pipeline::part_lines(found.model)) print_line(line);
  if (!found.verified.empty()) print_note(found.verified);
}

void print(const pipeline::InspectedTokens& found) {
  const bool several = found.prompts.prompt.size() > 1;
  for (const auto& [name, chunked] : found.prompts.prompt) {
    if (several) print_line(name);
    for (const TokenChunk& chunk : chunked.chunks) print_line(pipeline::chunk_text(chunk));
    const std::string cut = chunked.cut.empty() ? "" : core::sentence("; cut off: \"{}\"", chunked.cut);
    print_note(core::sentence("{}{} in {}{}", several ? name + ": " : "", core::count_text(chunked.count, "token"),
                              core::count_text(chunked.chunks.size(), "chunk"), cut));
  }
  for (const std::string& warning : found.warnings) print_warning(warning);
}

void print(const pipeline::InspectedDrift& found) {
  print_table(pipeline::drift_rows(found.drifts));
  print_note(core::sentence(
      "PSNR of each picture after the VAE of {} and back; red, green and blue: how far their means moved, in levels of "
      "255; clipped: samples that came to an end of the range",
      found.model.name));
}

void print(const pipeline::InspectedPicture& found) {
  const io::PictureTexts& facts = found.facts;
  print_line(
      core::sentence("{}: {}, {}x{}, {} bit", found.name, found.format, facts.width, facts.height, facts.bit_depth));
  if (facts.texts.empty()) {
    print_note("no settings in it: they are read from the texts of a PNG and the Exif comment of a JPEG");
  }
  for (const io::NamedText& chunk : facts.texts) {
    print_line("");
    print_line("[" + chunk.key + "]");
    print_block(chunk.text);
  }
}

void print(const pipeline::InspectedLatent& found) {
  print_table(pipeline::latent_rows(found.facts));
  print_line("");
  print_table(pipeline::channel_rows(found.facts));
  const std::int64_t step = found.facts.statistics.row_step;
  if (step > 1) print_line(core::sentence("of every {}th row; --measure looks at all of them", step));
  if (!found.facts.passport.job.empty()) {
    print_text("\n[job]\n");
    print_block(found.facts.passport.job);
  }
  for (const Image& preview : found.preview) {
    const Image picture = narrowed(preview, stdout_columns());
    print_line("");
    print_drawing(stdout_has_colour() ? half_blocks(picture) : shaded(picture));
  }
}

int inspect(const InspectOptions& options) {
  if (options.asked.preview && options.json) {
    throw Error(ErrorKind::usage, "--preview is for people and --json for programs. Leave one of the two out");
  }
  Progress progress;
  pipeline::ModelCatalog catalog;
  pipeline::EngineDoor door(engine_options(options.asked.compute));
  const pipeline::Inspected found = pipeline::inspect(options.asked, catalog, door, listener(progress));
  if (options.json) {
    print_json(std::visit([](const auto& each) { return report_of(each); }, found));
  } else {
    std::visit([](const auto& each) { print(each); }, found);
  }
  return 0;
}

}  // namespace

Run declare_inspect(CLI::App& app) {
  const auto options = std::make_shared<InspectOptions>();
  pipeline::InspectAsked& asked = options->asked;
  const OptionGroup plain(app);
  plain.value("target", asked.target, "WHAT", "Name or folder of a model, a latent or a picture; - for stdin")
      ->required();
  plain.value("pictures", asked.pictures, "PICTURE", "For --measure of a model");
  const CLI::Option* tokens = plain.value("--tokens", options->tokens, "TEXT",
                                          "Show the token ids of a prompt, and weights; @FILE or - reads it");
  const std::vector<std::string> syntaxes = core::find_job_field("prompt_syntax").choices();
  plain.value("--prompt-syntax", asked.prompt_syntax, "NAME",
              core::sentence("Brackets in that prompt: {}", core::either_of(syntaxes)));
  plain.value("--embedding", asked.embeddings, "[NAME=]FILE", "Textual inversion, or a folder of them; repeat")
      ->expected(1)
      ->take_all();
  plain.flag("--verify", asked.verify, "Compare every file with its recorded sha256");
  plain.flag("--measure", asked.measure, "What its VAE does to pictures, or drawn patterns; of a latent: all numbers");
  plain.flag("--preview", asked.preview, "Show a latent by the colours of its channels");
  declare_hints(app, asked.hints);
  declare_compute(app, asked.compute);
  declare_json(app, options->json, "The same as one JSON document");
  app.footer(
      "Examples:\n"
      "  lapis inspect tiny-sd15 --verify\n"
      "  lapis inspect tiny-sd15 --tokens \"a serene lakeside at sunset\"\n"
      "  lapis inspect tiny-sd15 --measure\n"
      "  lapis inspect a.safetensors --preview\n"
      "  lapis inspect lapis-7.png");
  return [options, tokens] {
    if (tokens->count() > 0) options->asked.tokens = io::prompt_text(options->tokens, "--tokens");
    return inspect(*options);
  };
}

}  // namespace lapis::cli
