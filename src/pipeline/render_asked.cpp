#include "pipeline/render_asked.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/picture/png.hpp"
#include "io/report/job_json.hpp"
#include "lapis/error.hpp"
#include "pipeline/job_words.hpp"
#include "pipeline/latent_words.hpp"
#include "pipeline/render_outputs.hpp"

namespace lapis::pipeline {
namespace {

RecordedJob recorded_by(std::string_view text, const std::string& name, const std::string& file) {
  const io::JobLine line = io::read_job_line(text, name);
  return {{line.job, line.named}, {file, line.is_settings ? std::string(text) : "", {}}};
}

[[noreturn]] void refuse(const std::string& name, const char* why) {
  throw Error(ErrorKind::input, core::sentence("{} {}.", name, why),
              core::sentence("Name a PNG or a latent that lapis drew, or a line of {lapis generate} {json}"));
}

RecordedJob recorded_in_png(const io::LatentSource& source, const std::string& record) {
  const io::PictureTexts facts = io::read_png_text(source.bytes(), source.name());
  const auto text = std::ranges::find(facts.texts, "lapis", &io::NamedText::key);
  if (text == facts.texts.end()) refuse(source.name(), "holds no job of lapis");
  return recorded_by(text->text, record, source.name());
}

RecordedJob recorded_in_latent(const io::LatentSource& source, const std::string& record) {
  const std::string job = io::read_passport(source.bytes(), source.name(), {}).passport.job;
  if (job.empty()) refuse(source.name(), "holds no job of lapis");
  return recorded_by(job, record, source.name());
}

}  // namespace

std::string field_of_source(const io::LatentSource& source, const std::string& path) {
  const io::FileKind* kind = io::find_file_kind(source.bytes());
  const bool is_picture = kind != nullptr ? kind->picture : core::lower_ascii(path).ends_with(".tga");  // has no mark
  return is_picture ? "image" : "init_latent";
}

RenderAsked render_asked(AskedJob job, std::shared_ptr<const io::LatentSource> source, ModelCatalog& catalog) {
  RenderAsked asked;
  asked.asked = std::move(job);
  const Job& said = asked.asked.job;
  asked.pictures = wants_pictures(said);
  if (said.init_latent) {
    const io::LatentHints hints = latent_hints(said, catalog);
    if (!source) source = std::make_shared<io::LatentSource>(*said.init_latent);
    asked.latent = {named_latent(*source, hints), io::sha256(source->bytes())};
  } else if (source) {
    const std::span<const std::byte> bytes = source->bytes();
    asked.picture = {source->name(), {bytes.begin(), bytes.end()}};
  }
  return asked;
}

RecordedJob recorded_in(const std::string& path) {
  const io::LatentSource source(path, io::LatentSource::largest_pipe, /*or_picture=*/true);
  const std::string record = core::sentence("{}, the job it records", source.name());
  if (io::is_png(source.bytes())) return recorded_in_png(source, record);
  if (io::begins_as_safetensors(source.bytes())) return recorded_in_latent(source, record);
  const std::string_view text = io::as_chars(source.bytes());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return recorded_by(text, source.name(), source.name());
  refuse(source.name(), "is neither a PNG nor a latent of lapis, nor a line of JSON");
}

RecordedJob again(RecordedJob recorded, const AskedJob& over) {
  recorded.record.overruled = over.named;
  recorded.asked = merged(std::move(recorded.asked), over);
  check_sources_named(recorded.asked.job, recorded.record.name);
  return recorded;
}

void check_sources_named(const Job& job, const std::string& record) {
  const auto check = [&](const char* key, const std::optional<std::string>& file) {
    constexpr std::string_view mark = "sha256:";
    if (!file || !file->starts_with(mark)) return;
    throw Error(ErrorKind::usage,
                core::sentence("{} knows the file of {} by its sha256 alone, which begins {}.", record,
                               core::field_name(key), file->substr(mark.size(), 12)),
                core::sentence("Name it: {} FILE", core::field_name(key)));
  };
  check("image", job.image);
  check("mask", job.mask);
  check("init_latent", job.init_latent);
}

}  // namespace lapis::pipeline
