#include "pipeline/inspect.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/latent/preview.hpp"
#include "core/model/model_check.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "core/text/unicode.hpp"
#include "io/file/file_kinds.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/latent/latent_statistics.hpp"
#include "io/latent/untagged_latent.hpp"
#include "io/model/model_folder.hpp"
#include "io/picture/exif.hpp"
#include "io/picture/picture_reader.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/measure.hpp"
#include "pipeline/preview.hpp"

namespace lapis::pipeline {
namespace {

[[noreturn]] void refuse(const std::string& problem) { throw Error(ErrorKind::usage, problem); }

/// Of the words beside each other, the model is what is measured, wherever it stands.
void sort_words(InspectAsked& asked) {
  std::vector<std::string>& pictures = asked.pictures;
  if (pictures.empty()) return;
  if (!asked.measure) {
    pictures.insert(pictures.begin(), asked.target);
    refuse(core::sentence("{lapis inspect} shows one thing, and found {}. Pictures are for {measure} of a model",
                          core::listed(pictures)));
  }
  const auto model = std::find_if_not(pictures.begin(), pictures.end(), names_file);
  if (names_file(asked.target) && model != pictures.end()) std::swap(asked.target, *model);
}

void check_tokens(const InspectAsked& asked) {
  if (!asked.tokens || (!asked.measure && asked.pictures.empty())) return;
  refuse(core::sentence("{tokens} and {measure} show two things. Leave one of them out"));
}

/// Nothing but the VAE of a model is run.
void check_compute(const InspectAsked& asked, bool is_file) {
  if (asked.compute.named.empty() || (asked.measure && !is_file && !asked.tokens)) return;
  refuse(core::sentence("{} is for {measure} of a model, which runs its VAE. Leave it out",
                        core::field_name(*asked.compute.named.begin())));
}

/// What is said of a prompt means something of its tokens alone.
void check_prompt_words(const InspectAsked& asked) {
  if (asked.tokens || (asked.prompt_syntax.empty() && asked.embeddings.empty())) return;
  refuse(core::sentence("{} is for {tokens}, which shows how a prompt is read. Leave it out",
                        core::field_name(asked.prompt_syntax.empty() ? "embedding" : "prompt_syntax")));
}

InspectedTokens tokens_of(const InspectAsked& asked, const Model& model, io::Tokenizers& tokenizers) {
  if (core::first_bad_utf8(*asked.tokens)) refuse(core::sentence("{tokens}: the text is not UTF-8"));
  ResolvedJob job;
  job.prompt = *asked.tokens;
  if (!asked.prompt_syntax.empty()) job.prompt_syntax = core::find_prompt_syntax(asked.prompt_syntax).syntax;
  Attachments attachments;
  io::PromptReader reader(model, attachments, job, asked.embeddings);
  io::EncodedPrompts prompts = reader.encode(tokenizers);
  return {std::move(prompts), job.prompt_syntax, reader.warnings()};
}

/// What comparing a model's files found: that all is well, or which files it could not tell about.
std::string verified_text(const Model& model) {
  const auto unread = std::count_if(model.files.begin(), model.files.end(),
                                    [](const auto& file) { return file.second.sha256.empty(); });
  if (unread == 0) return "every file has the recorded sha256";
  return core::sentence(
      "{} linked {} no recorded sha256, and only size and time of change were compared; {lapis import} {verify} "
      "records it",
      unread, unread == 1 ? "file has" : "files have");
}

Inspected inspect_model(const InspectAsked& asked, ModelCatalog& catalog, EngineDoor& door, const Events& events) {
  if (asked.preview) refuse(core::sentence("{preview} is for latents; {} names a model", asked.target));
  refuse_hints(asked.hints, {}, core::sentence("{} names a model", asked.target));
  Model model = io::read_model(find_model(asked.target));
  core::check_model(model);
  if (asked.verify) io::verify_files(model, /*linked_too=*/true);
  if (asked.tokens) return tokens_of(asked, model, catalog.tokenizers());
  if (asked.measure) {
    std::vector<io::Drift> drifts = measure(model, asked.pictures, asked.compute.tiling, door, events);
    return InspectedDrift{std::move(model), std::move(drifts)};
  }
  std::string verified = asked.verify ? verified_text(model) : "";
  return InspectedModel{std::move(model), std::move(verified)};
}

InspectedPicture picture_of(const io::LatentSource& source) {
  const std::string& name = source.name();
  if (io::is_png(source.bytes())) return {name, "PNG", io::read_png_text(source.bytes(), name)};
  const io::PictureFacts facts = io::read_picture_facts(source.bytes(), name);
  InspectedPicture picture{name, facts.format, {facts.width, facts.height, facts.bits, {}}};
  if (const std::optional<std::string> comment = io::exif_user_comment(source.bytes())) {
    picture.facts.texts.push_back({"parameters", *comment});
  }
  return picture;
}

InspectedPicture inspect_picture(const InspectAsked& asked, const io::LatentSource& source) {
  InspectedPicture picture = picture_of(source);
  if (asked.preview) refuse(core::sentence("{preview} is for latents; {} is a {}", picture.name, picture.format));
  refuse_hints(asked.hints, {}, core::sentence("{} is a {}", picture.name, picture.format));
  if (asked.measure) {
    refuse(core::sentence("{measure} is for latents and for a model's VAE; {} is a {}", picture.name, picture.format));
  }
  return picture;
}

io::LatentInspection facts_of(const io::LatentSource& source, const io::LatentHints& hints, std::int64_t most) {
  io::LatentInspection found;
  found.name = source.name();
  found.has_space = io::has_space(source.bytes(), source.name(), hints);
  io::ForeignPassport latent;
  if (found.has_space) {
    latent = io::read_passport(source.bytes(), source.name(), hints);
    found.statistics = io::read_statistics(source.bytes(), source.name(), latent, most);
  } else {
    io::UntaggedLatent untagged = io::read_untagged(source.bytes(), source.name(), hints, most);
    latent = std::move(untagged.latent);
    found.statistics = std::move(untagged.statistics);
    found.fits = std::move(untagged.fits);
    found.has_size = untagged.has_size;
  }
  const io::LatentFormatRow& row = io::latent_format_row(latent.format);
  found.format = row.name;
  found.passport = std::move(latent.passport);
  found.layout = latent.layout;
  found.has_units = found.has_space || row.units.has_value() || hints.units.has_value();
  return found;
}

std::vector<Image> previews(const io::LatentSource& source, const io::LatentHints& hints,
                            const io::LatentInspection& facts) {
  if (!facts.has_space || !facts.has_size) {
    refuse(
        core::sentence("{} does not say its space or its size, and a preview needs both. Say them: {} ID:LINEAGE, "
                       "{} WxH",
                       facts.name, core::field_name(hints.keys.space), core::field_name(hints.keys.size)));
  }
  const core::LineageRow& colours = preview_colours(facts.name, facts.passport.space);
  const io::ForeignLatent read = io::read_latent(source.bytes(), source.name(), hints, /*any_number=*/true);
  const Latent latent = preview_latent(read.document, colours);
  std::vector<Image> pictures;
  for (int i = 0; i < static_cast<int>(latent.shape[0]); ++i) {
    pictures.push_back(core::preview(latent.values, latent.shape, i, colours));
  }
  return pictures;
}

Inspected inspect_file(const InspectAsked& asked, ModelCatalog& catalog) {
  if (asked.tokens || asked.verify || !asked.pictures.empty()) {
    refuse(
        core::sentence("{tokens}, {verify} and {measure} PICTURE are for model folders; {} is a file", asked.target));
  }
  const io::LatentSource source(asked.target, io::LatentSource::largest_pipe, /*or_picture=*/true);
  const io::FileKind* kind = io::find_file_kind(source.bytes());
  if (kind != nullptr && kind->picture) return inspect_picture(asked, source);
  const io::LatentHints hints = latent_hints(asked.hints, catalog, {});
  InspectedLatent latent{facts_of(source, hints, asked.measure ? io::all_numbers : io::quick_look), {}};
  if (asked.preview) latent.preview = previews(source, hints, latent.facts);
  return latent;
}

}  // namespace

Inspected inspect(InspectAsked asked, ModelCatalog& catalog, EngineDoor& door, const Events& events) {
  sort_words(asked);
  const bool is_file = names_file(asked.target);
  check_tokens(asked);
  check_compute(asked, is_file);
  check_prompt_words(asked);
  return is_file ? inspect_file(asked, catalog) : inspect_model(asked, catalog, door, events);
}

}  // namespace lapis::pipeline
