#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/inspect_latent.hpp"
#include "cli/inspect_measure.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/family/families.hpp"
#include "core/job/job_fields.hpp"
#include "core/model/model_check.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "core/text/unicode.hpp"
#include "io/file/file_kinds.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/model/model_folder.hpp"
#include "io/picture/exif.hpp"
#include "io/picture/picture_reader.hpp"
#include "io/picture/png.hpp"
#include "io/prompt/prompt_file.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace lapis::cli {
namespace {

struct Options {
  std::string target;
  std::string tokens;
  std::string syntax = "plain";
  std::vector<std::string> embeddings;
  bool has_tokens = false;
  bool verify = false;
  bool measure = false;
  std::vector<std::string> pictures;
  pipeline::HintWords hints;
  bool preview = false;
  bool json = false;
};

std::string sampling_text(const SamplingFacts& facts) {
  const std::string text = core::sentence("{}, {} steps, ", core::prediction_name(facts.prediction), facts.train_steps);
  const FlowShift& shift = facts.flow_shift;
  if (path_of(facts.prediction) != Path::flow) {
    const std::string betas =
        facts.beta_curve == BetaCurve::cosine
            ? "by a cosine"
            : core::sentence("{} to {}", core::number_text(facts.beta_start), core::number_text(facts.beta_end));
    return core::sentence("{}betas {}{}, {}", text, betas, facts.zero_snr ? ", zero terminal SNR" : "",
                          core::spacing_name(facts.spacing));
  }
  if (!shift.dynamic) return core::sentence("{}shift {}", text, core::number_text(shift.shift));
  return core::sentence("{}shift e^{} at {} tokens to e^{} at {}", text, core::number_text(shift.base_shift),
                        shift.base_tokens, core::number_text(shift.max_shift), shift.max_tokens);
}

std::string tokenizers_text(const Model& model) {
  std::vector<std::string> texts;
  for (const auto& [name, facts] : model.tokenizers) {
    texts.push_back(core::sentence("{}: {}, {} tokens", name, core::tokenizer_kind_name(facts.kind), facts.length));
  }
  return core::joined(texts);
}

std::string conditioning_text(const Conditioning& facts) {
  if (facts.zero_empty_negative) return "an empty negative prompt is zeros";
  std::vector<std::string> axes;
  for (const int axis : facts.rope_axes) axes.push_back(std::to_string(axis));
  return axes.empty() ? "none" : core::sentence("rope axes {}", core::joined(axes));
}

void print_model(const Model& model) {
  std::uint64_t bytes = 0;
  for (const auto& [name, facts] : model.files) bytes += facts.size;
  const Space& space = model.space;
  const Defaults& defaults = model.defaults;
  print_table({
      {"model", model.name},
      {"folder", model.folder.string()},
      {"family", model.family},
      {"space",
       core::sentence("{}: {} channels, 1/{}, scale {}, shift {}, lineage {}", space.id, space.channels,
                      space.downscale, core::number_text(space.scale), core::number_text(space.shift), space.lineage)},
      {"defaults", core::sentence("{}x{}, {}, {}, guidance {}", defaults.width, defaults.height,
                                  core::count_text(static_cast<std::uint64_t>(defaults.steps), "step"),
                                  defaults.sampler, core::number_text(defaults.guidance))},
      {"sampling", sampling_text(model.sampling)},
      {"tokenizers", tokenizers_text(model)},
      {"conditioning", conditioning_text(model.conditioning)},
      {"files", core::sentence("{}, {}", model.files.size(), core::bytes_text(bytes))},
      {"licence", model.licence},
      {"origin", model.origin},
  });
  for (const auto& [name, part] : model.parts) {
    print_line(core::sentence("{}  {}", name, part.graph.lexically_relative(model.folder).string()));
    print_line(core::sentence("  in   {}", core::ports_text(part.inputs)));
    print_line(core::sentence("  out  {}", core::ports_text(part.outputs)));
  }
}

/// A chunk on a line: ids, each with its weight where that is not 1.
std::string chunk_text(const TokenChunk& chunk) {
  std::string text;
  for (std::size_t i = 0; i < chunk.ids.size(); ++i) {
    text += (i ? " " : "") + std::to_string(chunk.ids[i]);
    if (chunk.weights[i] != 1) text += ":" + core::number_text(std::round(chunk.weights[i] * 1e4) / 1e4);
  }
  return text;
}

void print_tokens(const io::EncodedPrompts& encoded, const std::vector<std::string>& warnings) {
  const bool several = encoded.prompt.size() > 1;
  for (const auto& [name, chunked] : encoded.prompt) {
    if (several) print_line(name);
    for (const TokenChunk& chunk : chunked.chunks) print_line(chunk_text(chunk));
    const std::string cut = chunked.cut.empty() ? "" : core::sentence("; cut off: \"{}\"", chunked.cut);
    print_note(core::sentence("{}{} in {}{}", several ? name + ": " : "", core::count_text(chunked.count, "token"),
                              core::count_text(chunked.chunks.size(), "chunk"), cut));
  }
  for (const std::string& warning : warnings) print_warning(warning);
}

int inspect_tokens(const Options& options, const Model& model) {
  if (core::first_bad_utf8(options.tokens)) throw Error(ErrorKind::usage, "--tokens: the text is not UTF-8");
  ResolvedJob job;
  job.prompt = options.tokens;
  job.prompt_syntax = core::find_prompt_syntax(options.syntax).syntax;
  Attachments attachments;
  io::PromptReader reader(model, attachments, job, options.embeddings);
  const io::EncodedPrompts encoded = reader.encode();
  if (options.json) {
    print_json(io::tokens_report(encoded, job.prompt_syntax, spelled(reader.warnings())));
  } else {
    print_tokens(encoded, reader.warnings());
  }
  return 0;
}

/// What --verify found: that all is well, or which files it could not tell about.
std::string verified_text(const Model& model) {
  const auto unread = std::count_if(model.files.begin(), model.files.end(),
                                    [](const auto& file) { return file.second.sha256.empty(); });
  if (unread == 0) return "every file has the recorded sha256";
  return core::sentence(
      "{} linked {} no recorded sha256, and only size and time of change were compared; lapis import --verify records "
      "it",
      unread, unread == 1 ? "file has" : "files have");
}

int inspect_model(const Options& options) {
  const Model model = io::read_model(pipeline::find_model(options.target));
  core::check_model(model);
  if (options.verify) io::verify_files(model, /*linked_too=*/true);
  if (options.has_tokens) return inspect_tokens(options, model);
  if (options.measure) return measure_model(model, options.pictures, options.json);
  if (options.json) {
    print_json(io::model_report(model));
  } else {
    print_model(model);
    if (options.verify) print_note(verified_text(model));
  }
  return 0;
}

struct InspectedPicture {
  std::string format;
  io::PictureTexts facts;
};

/// Size and texts of a picture. A JPEG's text is the comment in its Exif data, where the web UI keeps its settings.
InspectedPicture read_picture(const io::LatentSource& source) {
  if (io::is_png(source.bytes())) return {"PNG", io::read_png_text(source.bytes(), source.name())};
  const io::PictureFacts facts = io::read_picture_facts(source.bytes(), source.name());
  InspectedPicture picture{facts.format, {facts.width, facts.height, facts.bits, {}}};
  if (const std::optional<std::string> comment = io::exif_user_comment(source.bytes())) {
    picture.facts.texts.push_back({"parameters", *comment});
  }
  return picture;
}

int inspect_picture(const Options& options, const io::LatentSource& source) {
  const auto [format, facts] = read_picture(source);
  if (options.preview || options.measure) {
    throw Error(ErrorKind::usage, core::sentence("{}; {} is a {}",
                                                 options.preview ? "--preview is for latents"
                                                                 : "--measure is for latents and for a model's VAE",
                                                 source.name(), format));
  }
  if (options.json) {
    print_json(io::picture_report(facts));
    return 0;
  }
  print_line(
      core::sentence("{}: {}, {}x{}, {} bit", source.name(), format, facts.width, facts.height, facts.bit_depth));
  if (facts.texts.empty()) {
    print_note("no settings in it: they are read from the texts of a PNG and the Exif comment of a JPEG");
  }
  for (const io::NamedText& chunk : facts.texts) {
    print_line("");
    print_line("[" + chunk.key + "]");
    print_block(chunk.text);
  }
  return 0;
}

/// Of the words beside --measure, the model is what is measured, wherever it stands.
void sort_words(Options& options) {
  std::vector<std::string>& pictures = options.pictures;
  if (pictures.empty()) return;
  if (!options.measure) {
    pictures.insert(pictures.begin(), options.target);
    throw Error(ErrorKind::usage,
                core::sentence("lapis inspect shows one thing, and found {}. Pictures are for --measure of a model",
                               core::listed(pictures)));
  }
  const auto model = std::find_if_not(pictures.begin(), pictures.end(), pipeline::names_file);
  if (pipeline::names_file(options.target) && model != pictures.end()) std::swap(options.target, *model);
}

int inspect(const Options& options) {
  if (!pipeline::names_file(options.target)) {
    if (!options.preview) return inspect_model(options);
    throw Error(ErrorKind::usage, core::sentence("--preview is for latents; {} names a model", options.target));
  }
  if (options.has_tokens || options.verify || !options.pictures.empty()) {
    throw Error(ErrorKind::usage, core::sentence("--tokens, --verify and --measure PICTURE are for model folders; {} "
                                                 "is a file",
                                                 options.target));
  }
  const io::LatentSource source(options.target, io::LatentSource::largest_pipe, /*or_picture=*/true);
  const io::FileKind* kind = io::find_file_kind(source.bytes());
  if (kind != nullptr && kind->picture) return inspect_picture(options, source);
  pipeline::ModelCatalog catalog;
  return inspect_latent(source, latent_hints(options.hints, catalog), options.measure, options.preview, options.json);
}

}  // namespace

Run declare_inspect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  const OptionGroup plain(app);
  plain.value("target", options->target, "WHAT", "Name or folder of a model, a latent or a picture; - for stdin")
      ->required();
  plain.value("pictures", options->pictures, "PICTURE", "For --measure of a model");
  const CLI::Option* tokens = plain.value("--tokens", options->tokens, "TEXT",
                                          "Show the token ids of a prompt, and weights; @FILE or - reads it");
  const std::vector<std::string> syntaxes = core::find_job_field("prompt_syntax").choices();
  plain.value("--prompt-syntax", options->syntax, "NAME",
              core::sentence("Brackets in that prompt: {}", core::either_of(syntaxes)));
  plain.value("--embedding", options->embeddings, "[NAME=]FILE", "Textual inversion, or a folder of them; repeat")
      ->expected(1)
      ->take_all();
  plain.flag("--verify", options->verify, "Compare every file with its recorded sha256");
  plain.flag("--measure", options->measure,
             "What its VAE does to pictures, or drawn patterns; of a latent: all numbers");
  plain.flag("--preview", options->preview, "Show a latent by the colours of its channels");
  declare_hints(app, options->hints);
  declare_json(app, options->json, "The same as one JSON document");
  app.footer(
      "Examples:\n"
      "  lapis inspect tiny-sd15 --verify\n"
      "  lapis inspect tiny-sd15 --tokens \"a serene lakeside at sunset\"\n"
      "  lapis inspect tiny-sd15 --measure\n"
      "  lapis inspect a.safetensors --preview\n"
      "  lapis inspect lapis-7.png");
  return [options, tokens] {
    options->has_tokens = tokens->count() > 0;
    if (options->has_tokens) options->tokens = io::prompt_text(options->tokens, "--tokens");
    sort_words(*options);
    return inspect(*options);
  };
}

}  // namespace lapis::cli
