// The part of `resolve` that knows samplers and schedules.
#pragma once

#include <optional>
#include <string>

#include "lapis/job.hpp"
#include "lapis/model.hpp"

namespace lapis::core {

/// Decides steps, sampler, schedule, spacing, sigmas, shift, eta and the guidance's interval and rescale of `resolved`,
/// whose width, height and guidance are decided, and refuses what does not go together: a sampler or a schedule that
/// the model's path has not, a spacing or a shift or an eta that nothing would read, sigmas that do not fall or that
/// the model was not trained on. Throws Error{usage} naming the field, what was found and what fits.
void resolve_sampling(const Job& job, const Model& model, ResolvedJob& resolved);

/// Refuses a second pass whose steps its schedule cannot have. `resolved.hires_steps` must be decided.
void check_hires_sampling(const Model& model, const ResolvedJob& resolved);

/// What is wrong with the sampler and the schedule of a model's own defaults; none where nothing is.
std::optional<std::string> sampling_defaults_problem(const Model& model);

/// Takes a name of both a sampler and a schedule apart, such as the web UI's of before version 1.9 ("DPM++ 2M Karras",
/// loosely spelt: dpmpp_2m_karras), into the two fields of `job`. False where job.sampler is no such name.
bool split_sampler(Job& job);

}  // namespace lapis::core
