#include "core/job/resolve_sampling.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/family/families.hpp"
#include "core/job/job_fields.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/schedules.hpp"
#include "core/sampling/sigma_time_map.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse_sampling(const std::string& text) { throw Error(ErrorKind::usage, text); }

/// `value`, where it lies within the limits of its field.
double checked(std::string_view key, double value) {
  check_limits(find_job_field(key), value);
  return value;
}

/// The numbers of "3,2.5, 1". Throws Error{usage} at what is none.
std::vector<double> numbers_of(std::string_view key, std::string_view text) {
  std::vector<double> numbers;
  while (true) {
    std::string_view word = text.substr(0, text.find(','));
    const std::size_t length = word.size();
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    double number = 0;
    const auto [stop, code] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (code != std::errc() || stop != word.data() + word.size()) {
      refuse_sampling(sentence("{} has \"{}\" as number {}; expected numbers with commas between", field_name(key),
                               word, numbers.size() + 1));
    }
    numbers.push_back(number);
    if (length == text.size()) return numbers;
    text.remove_prefix(length + 1);
  }
}

/// The highest sigma of a training; a published table may be rounded.
double highest_sigma(const SamplingFacts& facts) {
  constexpr double rounding = 1.001;
  return path_of(facts.prediction) == Path::flow ? 1 : rounding * SigmaTimeMap(facts).largest();
}

std::vector<double> checked_sigmas(const std::string& text, const SamplingFacts& facts, const std::string& model) {
  std::vector<double> sigmas = numbers_of("sigmas", text);
  if (sigmas.size() > 1 && sigmas.back() == 0) sigmas.pop_back();
  const double highest = highest_sigma(facts);
  for (std::size_t i = 0; i < sigmas.size(); ++i) {
    const std::string sigma = number_text(sigmas[i]);
    if (!(sigmas[i] > 0)) {
      refuse_sampling(sentence("{sigmas} has {} as number {}; all but a last 0 are above 0", sigma, i + 1));
    }
    if (sigmas[i] > highest) {
      refuse_sampling(
          sentence("{sigmas} has {} as number {}; {} was trained up to {}", sigma, i + 1, model, number_text(highest)));
    }
    if (i > 0 && sigmas[i] >= sigmas[i - 1]) {
      refuse_sampling(sentence("{sigmas} has {} as number {}, behind {}; they must fall from step to step", sigma,
                               i + 1, number_text(sigmas[i - 1])));
    }
  }
  return sigmas;
}

int checked_steps(const Job& job, const Model& model) {
  const std::int64_t steps = job.steps.value_or(model.defaults.steps);
  checked("steps", static_cast<double>(steps));
  if (steps > model.sampling.train_steps) {
    refuse_sampling(sentence("{steps} is {}; {} was trained on {} steps and can take no more", steps, model.name,
                             model.sampling.train_steps));
  }
  return static_cast<int>(steps);
}

std::optional<std::string> sampler_problem(const SamplerRow& row, const Model& model) {
  if (supports(row, path_of(model.sampling.prediction))) return std::nullopt;
  return sentence("sampler {} cannot sample a flow model such as {}: {}. Those that can are {}", row.name, model.name,
                  row.not_on_flow, listed(samplers_on(Path::flow)));
}

/// Zero terminal SNR: the job's, or the model's own.
void resolve_zero_snr(const Job& job, const Model& model, ResolvedJob& resolved) {
  if (path_of(model.sampling.prediction) == Path::flow) {
    if (!job.zero_snr) return;
    refuse_sampling(sentence("{zero_snr} rescales the betas of a training; {} is a flow, which has none. Leave it out",
                             model.name));
  }
  resolved.zero_snr = job.zero_snr.value_or(model.sampling.zero_snr ? "on" : "off");
  if (resolved.zero_snr == "on" || resolved.zero_snr == "off") return;
  refuse_sampling(sentence("{zero_snr} is \"{}\"; expected on or off", *resolved.zero_snr));
}

/// Why a run cannot begin at noise alone, where it would.
std::optional<std::string> terminal_problem(const ResolvedJob& resolved, const Model& model) {
  const SamplingFacts facts = sampling_of(resolved, model);
  if (!facts.zero_snr) return std::nullopt;
  const SamplerRow& row = find_sampler(resolved.sampler);
  if (can_begin_at_noise_alone(row, facts.prediction)) return std::nullopt;
  const bool unknown = row.terminal == Terminal::wholly;
  if (!begins_at_noise_alone(schedule_of(resolved, model), facts) && !unknown) return std::nullopt;
  if (unknown) {
    return sentence(
        "sampler {} cannot begin at noise alone, as zero terminal SNR has it: it divides what is predicted "
        "by the signal left, which is 0, and {} predicts noise. Take {sampler} euler, or {zero_snr} off",
        row.name, model.name);
  }
  return sentence(
      "sampler {} cannot begin at noise alone, as zero terminal SNR has it: a slope met further down would "
      "count as often as the first sigma is larger, which is infinite. Those that can are {}",
      row.name, listed(samplers_from_noise_alone(facts.prediction)));
}

/// The sigmas that a job gives and the steps they make; or the steps that it asks for.
void resolve_steps(const Job& job, const Model& model, ResolvedJob& resolved) {
  if (!job.sigmas) {
    resolved.steps = checked_steps(job, model);
    return;
  }
  resolved.sigmas = checked_sigmas(*job.sigmas, sampling_of(resolved, model), model.name);
  const auto count = static_cast<std::int64_t>(resolved.sigmas->size());
  checked("steps", static_cast<double>(count));
  if (job.steps.value_or(count) != count) {
    refuse_sampling(sentence("{steps} is {} and {sigmas} has {}, one for each step; leave {steps} out", *job.steps,
                             count_text(static_cast<std::uint64_t>(count), "number")));
  }
  resolved.steps = static_cast<int>(count);
}

void resolve_schedule(const Job& job, const Model& model, ResolvedJob& resolved) {
  const std::string fallback = job.sigmas ? "by_hand" : model.defaults.schedule;
  const ScheduleRow& row = find_schedule(job.schedule.value_or(fallback));
  const bool by_hand = row.kind == ScheduleKind::by_hand;
  if (job.sigmas && !by_hand) {
    refuse_sampling(sentence("{sigmas} are a schedule by hand, and {schedule} is {}; give one", row.name));
  }
  if (by_hand && !job.sigmas) {
    refuse_sampling(sentence("{schedule} is by_hand, which needs its numbers: {sigmas} 14.6,6,2.5,1,0.4"));
  }
  resolved.schedule = row.name;
  if (const auto problem = schedule_problem(row, model, resolved.steps)) refuse_sampling(*problem);
  const bool read = row.kind == ScheduleKind::own && path_of(model.sampling.prediction) != Path::flow;
  if (read) resolved.spacing = job.spacing ? find_spacing(*job.spacing) : model.sampling.spacing;
  if (!read && job.spacing) {
    refuse_sampling(
        sentence("{spacing} is {}; only schedule own of a model with betas reads it. Leave it out", *job.spacing));
  }
}

void resolve_shift(const Job& job, const Model& model, ResolvedJob& resolved) {
  resolved.shift = shift_for(model, resolved.width, resolved.height);
  if (!job.shift) return;
  if (!resolved.shift) {
    refuse_sampling(sentence("{shift} moves the noise levels of a flow model; {} is none. Leave it out", model.name));
  }
  if (job.sigmas && *job.shift != *resolved.shift) {
    refuse_sampling(
        sentence("{shift} moves the levels of a schedule, and {sigmas} are taken as they are. Leave {shift} out"));
  }
  resolved.shift = checked("shift", *job.shift);
}

void resolve_eta(const Job& job, const SamplerRow& row, ResolvedJob& resolved) {
  resolved.eta = row.eta;
  if (!job.eta) return;
  if (!row.eta) {
    std::vector<std::string> names;
    for (const SamplerRow& other : samplers()) {
      if (other.eta) names.push_back(other.name);
    }
    refuse_sampling(
        sentence("{eta} says how much fresh noise a sampler draws; {} has no such share. Those that have are {}",
                 row.name, listed(names)));
  }
  resolved.eta = checked("eta", *job.eta);
}

bool is_sampler(const std::string& loose) {
  for (const SamplerRow& row : samplers()) {
    for (const std::string& name : names_of(row)) {
      if (loose_name(name) == loose) return true;
    }
  }
  return false;
}

Interval checked_interval(const std::string& text) {
  const std::vector<double> ends = numbers_of("guidance_interval", text);
  if (ends.size() != 2 || !(ends[0] >= 0 && ends[0] < ends[1] && ends[1] <= 1)) {
    refuse_sampling(
        sentence("{guidance_interval} is \"{}\"; expected two fractions of the steps, the first the smaller: "
                 "0.2,0.8",
                 text));
  }
  return {ends[0], ends[1]};
}

}  // namespace

bool split_sampler(Job& job) {
  const std::string name = loose_name(job.sampler.value_or(""));
  for (const SamplerRow& sampler : samplers()) {
    for (const std::string& first : names_of(sampler)) {
      const std::string begin = loose_name(first);
      if (!name.starts_with(begin) || name.size() == begin.size()) continue;
      for (const ScheduleRow& schedule : schedules()) {
        const std::vector<std::string> ends = names_of(schedule);
        const auto is_end = [&](const std::string& end) { return loose_name(end) == name.substr(begin.size()); };
        if (is_sampler(name) || std::none_of(ends.begin(), ends.end(), is_end)) continue;
        job.sampler = sampler.name;
        job.schedule = schedule.name;
        return true;
      }
    }
  }
  return false;
}

void resolve_sampling(const Job& job, const Model& model, ResolvedJob& resolved) {
  const SamplerRow& sampler = find_sampler(job.sampler.value_or(model.defaults.sampler));
  if (const auto problem = sampler_problem(sampler, model)) refuse_sampling(*problem);
  resolved.sampler = sampler.name;
  resolve_zero_snr(job, model, resolved);
  resolve_steps(job, model, resolved);
  resolve_schedule(job, model, resolved);
  resolve_shift(job, model, resolved);
  resolve_eta(job, sampler, resolved);
  if (const auto problem = terminal_problem(resolved, model)) refuse_sampling(*problem);
  resolved.guidance_rescale = checked("guidance_rescale", job.guidance_rescale.value_or(0));
  resolved.guidance_interval = job.guidance_interval ? checked_interval(*job.guidance_interval) : Interval{};
  if (cfg_scale(resolved) > 1) return;
  for (const auto& [changed, key] : {std::pair{resolved.guidance_interval != Interval{}, "guidance_interval"},
                                     std::pair{resolved.guidance_rescale != 0, "guidance_rescale"}}) {
    if (!changed) continue;
    refuse_sampling(sentence("{} changes guidance, and the guidance of this job is {}: nothing is guided at 1 or less",
                             field_name(key), number_text(cfg_scale(resolved))));
  }
}

void check_hires_sampling(const Model& model, const ResolvedJob& resolved) {
  const int steps = *resolved.hires_steps;
  if (const auto problem = schedule_problem(find_schedule(resolved.schedule), model, steps)) {
    refuse_sampling(sentence("{hires_steps} {}: {}", steps, *problem));
  }
  if (resolved.sigmas && static_cast<int>(resolved.sigmas->size()) != steps) {
    refuse_sampling(sentence("{hires_steps} is {} and {sigmas} has {}, one for each step; leave {hires_steps} out",
                             steps, count_text(resolved.sigmas->size(), "number")));
  }
}

std::optional<std::string> sampling_defaults_problem(const Model& model) {
  try {
    if (auto problem = sampler_problem(find_sampler(model.defaults.sampler, "sampler"), model)) return problem;
    const ScheduleRow& row = find_schedule(model.defaults.schedule, "schedule");
    if (row.kind == ScheduleKind::by_hand) return "schedule by_hand is for a job that gives its sigmas";
    if (auto problem = schedule_problem(row, model, model.defaults.steps)) return problem;
    ResolvedJob usual;
    usual.sampler = model.defaults.sampler;
    usual.schedule = row.name;
    usual.steps = model.defaults.steps;
    return terminal_problem(usual, model);
  } catch (const Error& error) {
    return error.marked_problem();
  }
}

}  // namespace lapis::core
