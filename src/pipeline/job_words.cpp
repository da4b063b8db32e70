#include "pipeline/job_words.hpp"

#include "core/job/resolve_sampling.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/prompt/prompt_file.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

bool is_prompt(const core::JobField& field) { return field.key == "prompt" || field.key == "negative_prompt"; }

void check_schedule(const std::string& said, const std::string& asked) {
  if (core::find_schedule(said).kind == core::find_schedule(asked).kind) return;
  throw Error(ErrorKind::usage, core::sentence("{sampler} is a name of schedule {} too, and {schedule} is \"{}\". Give "
                                               "the schedule once",
                                               said, asked));
}

}  // namespace

bool reads_stdin(const core::JobField& field, const std::string& word) {
  if (is_prompt(field)) return io::reads_stdin(word);
  return (field.key == "image" || field.key == "init_latent" || field.key == "mask") && word == "-";
}

void say(AskedJob& asked, const core::JobField& field, const std::string& word) {
  asked.named.emplace(field.key);
  if (field.key == "schedule" && asked.job.schedule) check_schedule(*asked.job.schedule, word);
  core::set_field(asked.job, field, is_prompt(field) ? io::prompt_text(word, core::field_name(field.key)) : word);
  if (field.key == "sampler" && core::split_sampler(asked.job)) asked.named.emplace("schedule");
}

AskedJob merged(AskedJob base, const AskedJob& over) {
  for (const core::JobField& field : core::job_fields()) {
    if (!over.named.contains(std::string(field.key))) continue;
    core::copy_field(base.job, over.job, field);
    base.named.emplace(field.key);
  }
  return base;
}

}  // namespace lapis::pipeline
