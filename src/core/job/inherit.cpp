#include "core/job/inherit.hpp"

#include <charconv>
#include <cstddef>
#include <string_view>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/job/job_fields.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {

Job inherit(const Job& recorded, const Job& asked, const std::set<std::string>& named, const Passport& latent,
            const Model& model) {
  Job job = recorded.then ? stage_job(recorded, parse_stage(*recorded.then)) : recorded;
  const auto forget = [&](std::string_view key) {
    if (!named.contains(std::string(key))) copy_field(job, Job(), find_job_field(key));
  };
  const bool elsewhere = latent.sigma == 0 && !same_numbers(latent.space, model.space);
  for (const JobField& field : job_fields()) {
    if (named.contains(std::string(field.key))) copy_field(job, asked, field);
    const FromRecord taken = field.inherits.from_record;
    if (taken == FromRecord::never || (taken == FromRecord::same_space && elsewhere)) forget(field.key);
  }
  if (latent.sigma > 0) forget("strength");

  const FamilyRow& family = *find_family(model.family);
  const bool flow = path_of(model.sampling.prediction) == Path::flow;
  if (family.clip_skip == 0) forget("clip_skip");
  if (family.guidance == GuidanceKind::passes) forget("true_guidance");
  if (family.guidance == GuidanceKind::input && !has_guidance_input(model)) forget("guidance");
  for (const char* key : {"original_size", "crop"}) {
    if (!family.size_conditioning) forget(key);
  }
  const bool passes = family.guidance == GuidanceKind::passes;
  const double weight = passes ? job.guidance.value_or(model.defaults.guidance) : job.true_guidance.value_or(1);
  for (const char* key : {"guidance_interval", "guidance_rescale"}) {
    if (!(weight > 1)) forget(key);
  }
  if (!passes && !(weight > 1)) forget("negative_prompt");

  if (named.contains("sigmas")) forget("schedule");
  if (named.contains("sigmas")) forget("steps");
  if (named.contains("schedule")) forget("sigmas");
  if (!flow || named.contains("sigmas")) forget("shift");
  // What is finished may go on with another model of its space, whose betas are its own.
  if (flow || latent.sigma == 0) forget("zero_snr");
  const bool own = job.schedule && find_schedule(*job.schedule).kind == ScheduleKind::own;
  if (flow || !own) forget("spacing");
  if (job.sampler && !find_sampler(*job.sampler).eta) forget("eta");
  return job;
}

Stage parse_stage(const std::string& text) {
  constexpr double usual_strength = 0.5;
  const std::size_t colon = text.find_last_of(':');
  Stage second{text, usual_strength};
  if (colon != std::string::npos) {
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + colon + 1, end, second.strength);
    if (code == std::errc() && stop == end) second.name = text.substr(0, colon);
  }
  if (second.name.empty()) {
    throw Error(ErrorKind::usage,
                sentence("{then} is \"{}\"; expected MODEL or MODEL:STRENGTH, as in tiny-sdxl:0.5", text));
  }
  if (const auto problem = limit_problem(sentence("{then}'s strength"), second.strength, strength_limits)) {
    throw Error(ErrorKind::usage, *problem);
  }
  return second;
}

Job stage_job(const Job& first, const Stage& second) {
  Job job;
  for (const JobField& field : job_fields()) {
    if (field.inherits.by_stage) copy_field(job, first, field);
  }
  job.model = second.name;
  job.strength = second.strength;
  return job;
}

}  // namespace lapis::core
