// What lapis says in JSON: result lines, the settings in a PNG, and the answers of inspect and list.
// docs/cli.md describes every document.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/job/job_fields.hpp"
#include "io/picture/png.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "io/report/check_report.hpp"
#include "lapis/attachments.hpp"
#include "lapis/error.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "lapis/timings.hpp"

namespace lapis::io {

/// A job's decided fields, as `core::resolved_fields` lists them.
using Fields = std::vector<std::pair<std::string, core::FieldValue>>;

/// Seconds of a whole run, beside those the engine counts itself.
struct RunTimings {
  double read = 0;    ///< model.json read, files verified
  double tokens = 0;  ///< tokenizer read, prompts encoded
  double engine = 0;  ///< waiting for libtorch to open
  double png = 0;     ///< encoding and writing
  double total = 0;   ///< since the program's main began
  Timings parts;
};

/// One finished picture, or the latents of a job that draws none.
struct PictureReport {
  std::string path;
  std::string sha256;         ///< of the file
  std::string pixels_sha256;  ///< `io::pixels_sha256`, of a picture
  int index = 0;
  std::string device;
  std::string dtype;
  Fields fields;
  int width = 0;  ///< of the picture; its fields say that of the first pass
  int height = 0;
  std::vector<Transcode> history;  ///< of the latent it starts from, or that a second model went on from
  std::vector<std::string> notes;  ///< what was done to the pictures it starts from
  std::vector<std::string> warnings;
  RunTimings timings;
};

/// One line of JSON about a finished picture.
std::string picture_line(const PictureReport& report);

/// One line of JSON about latents that were written and not drawn; the report's index is left out.
std::string latent_line(const PictureReport& report, const Latent& latent);

/// The "lapis" text of a PNG and the job of a latent: everything that decides its pixels, and no time or path. `fields`
/// are the picture's own: its seed, a batch of 1. Files of models and attachments stand for themselves by their
/// digests; `then` is the second model, null where there is none; a PNG holds too what its latent went through before
/// it was drawn.
std::string provenance(const Fields& fields, const Model& model, const Attachments& attachments = {},
                       const Model* then = nullptr, std::span<const Transcode> history = {});

/// One line of JSON about an output that was there before, and stayed; `index` of one picture of several.
std::string skipped_line(const std::string& path, std::optional<int> index);

/// A line about an output of a job of a batch: `line`, with the job's place in its list in front.
std::string job_output_line(const std::string& line, std::size_t place);

/// One line of JSON about a job that failed, its error's texts as they are to be read.
std::string job_failure_line(std::size_t place, const Error& error, const std::string& problem,
                             const std::string& advice);

/// One line of JSON about a job as it is planned, or as it was done before.
std::string job_plan_line(std::size_t place, const std::string& id, std::span<const std::string> outputs,
                          const std::string& status);

/// One line of JSON about journals that were joined: jobs that are done, all there are, and why they are no whole.
std::string merge_line(std::size_t done, std::size_t of, std::span<const std::string> faults);

/// One line of JSON about how far a command is, so many `seconds` after it began.
std::string progress_line(const std::string& thing, int done, int all, double seconds);

/// What a job would do, of a dry run: its fields, and the ways that latents take in it; with the outputs that would
/// stay as they are, where somebody asked for that.
std::string plan_report(const Fields& fields, std::span<const Checked> routes,
                        const std::optional<std::vector<std::string>>& skipped = std::nullopt);

/// model.json's content, with sizes added up.
std::string model_report(const Model& model);

/// A picture's format ("PNG"), size and texts; the "lapis" text as the document it is.
std::string picture_report(const std::string& format, const PictureTexts& facts);

/// Token ids and weights of a prompt, for every tokenizer of a model.
std::string tokens_report(const EncodedPrompts& encoded, PromptSyntax syntax, const std::vector<std::string>& warnings);

/// A table: the first row names the columns of the others.
std::string table_report(const std::vector<std::vector<std::string>>& rows);

}  // namespace lapis::io
