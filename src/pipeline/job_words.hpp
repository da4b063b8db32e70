// A job out of words, field by field, as a command line has them.
#pragma once

#include <string>

#include "core/job/job_fields.hpp"
#include "pipeline/asked.hpp"

namespace lapis::pipeline {

/// Whether standard input is read for what `word` says of a field.
bool reads_stdin(const core::JobField& field, const std::string& word);

/// Says a field of a job; a list gets one more entry. Prompts may lie in files (`io::prompt_text`). A sampler's name
/// may say the schedule too, and one that is said behind it must be the same. Throws Error{usage} for words that make
/// no sense, and as `io::prompt_text`.
void say(AskedJob& asked, const core::JobField& field, const std::string& word);

/// `base` with everything that `over` says in its place; a list of `over` is taken whole.
AskedJob merged(AskedJob base, const AskedJob& over);

}  // namespace lapis::pipeline
