// What a render is asked, out of a job and the files that it starts from.
#pragma once

#include <memory>
#include <string>

#include "io/latent/latent_formats.hpp"
#include "pipeline/asked.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/render.hpp"

namespace lapis::pipeline {

/// The field that a file to go on from is of: "image" for a picture, "init_latent" for a latent; by its bytes, and
/// where they have no mark by the ending of `path`.
std::string field_of_source(const io::LatentSource& source, const std::string& path);

/// What `asked` comes to, its latent read: from `source`, which holds the latent or the picture that the job starts
/// from, or where that is null from the file that the job names. Throws Error{input}, and as `latent_hints`.
RenderAsked render_asked(AskedJob asked, std::shared_ptr<const io::LatentSource> source, ModelCatalog& catalog);

/// A job that a file records.
struct RecordedJob {
  AskedJob asked;
  JobRecord record;
};

/// The job that a file records: a PNG or a latent of lapis, or a file of one line of a list of jobs. Throws
/// Error{input} where it records none.
RecordedJob recorded_in(const std::string& path);

/// What is asked with `over` on top of a record. Throws Error{usage} where a picture, a mask or a latent is known by
/// its digest alone.
RecordedJob again(RecordedJob recorded, const AskedJob& over);

/// Throws Error{usage} where a job names a picture, a mask or a latent by its digest, as records do; `record` holds it.
void check_sources_named(const Job& job, const std::string& record);

}  // namespace lapis::pipeline
