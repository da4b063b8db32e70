#include "core/job/job_fields.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/prompt/prompt_syntax.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/names.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

using J = Job;
using R = ResolvedJob;
using G = FieldGroup;

constexpr std::optional<Limits> no_limits = std::nullopt;
constexpr std::monostate not_in_job = {};
constexpr std::string_view denoising = "Denoising strength";

// clang-format off
constexpr std::array<JobField, 40> rows = {{
    // key              flags                          value     help
    // member             resolved             limits           a1111        group
    {"prompt",          "-p,--prompt",                 "TEXT",   "What the picture shows; @FILE or - reads it",
     &J::prompt,          &R::prompt,          no_limits,       "",          G::prompt},
    {"negative_prompt", "-n,--negative-prompt",        "TEXT",   "What it must not show; the same",
     &J::negative_prompt, &R::negative_prompt, no_limits,       "",          G::prompt},
    {"prompt_syntax",   "--prompt-syntax",             "NAME",   "Brackets in the prompts: plain, a1111 or comfy",
     &J::prompt_syntax,   &R::prompt_syntax,   no_limits,       "Prompt syntax", G::prompt},
    {"clip_skip",       "--clip-skip",                 "N",      "Layer of the text encoder from its end; 1: the last",
     &J::clip_skip,       &R::clip_skip,       no_limits,       "Clip skip", G::prompt},
    {"embeddings",      "--embedding",                 "[NAME=]FILE", "Textual inversion, or a folder of them; repeat",
     &J::embeddings,      &R::embeddings,      no_limits,       "TI hashes", G::prompt},
    {"loras",           "--lora",                      "FILE[:WEIGHT]", "LoRA to add to the model's weights; repeat",
     &J::loras,           &R::loras,           no_limits,       "Lora hashes", G::prompt},
    {"steps",           "--steps",                     "N",      "Denoising steps",
     &J::steps,           &R::steps,           step_limits,     "Steps",     G::sampling},
    {"sampler",         "--sampler,--sampling-method", "NAME",   "How the steps are walked",
     &J::sampler,         &R::sampler,         no_limits,       "Sampler",   G::sampling},
    {"schedule",        "--schedule,--scheduler",      "NAME",   "How the steps' noise levels lie",
     &J::schedule,        &R::schedule,        no_limits,       "Schedule type", G::sampling},
    {"spacing",         "--spacing",                   "NAME",   "Of schedule own: leading, linspace or trailing",
     &J::spacing,         &R::spacing,         no_limits,       "",          G::sampling},
    {"zero_snr",        "--zero-snr",                  "NAME",   "on: betas rescaled to end in noise alone; off: as made",
     &J::zero_snr,        &R::zero_snr,        no_limits,       "",          G::sampling},
    {"sigmas",          "--sigmas",                    "LIST",   "The noise levels by hand: falling, with commas",
     &J::sigmas,          &R::sigmas,          no_limits,       "",          G::sampling},
    {"shift",           "--shift",                     "FACTOR", "Of a flow model's noise levels, towards noise",
     &J::shift,           &R::shift,           shift_limits,    "Shift",     G::sampling},
    {"eta",             "--eta",                       "SHARE",  "Fresh noise on the way, 0 to 1",
     &J::eta,             &R::eta,             eta_limits,      "Eta",       G::sampling},
    {"guidance",        "--guidance,--cfg-scale",      "SCALE",  "Weight of the prompt; 1 or less: no negative pass",
     &J::guidance,        &R::guidance,        guidance_limits, "CFG scale", G::sampling},
    {"true_guidance",   "--true-guidance",             "SCALE",  "flux: weight of the prompt against the negative",
     &J::true_guidance,   &R::true_guidance,   guidance_limits, "CFG scale", G::sampling},
    {"guidance_interval", "--guidance-interval",       "A,B",    "Guide only from A to B of the steps, 0 to 1",
     &J::guidance_interval, &R::guidance_interval, no_limits,   "",          G::sampling},
    {"guidance_rescale", "--guidance-rescale",         "SHARE",  "Give guidance the unguided spread back, 0 to 1",
     &J::guidance_rescale, &R::guidance_rescale, rescale_limits, "",         G::sampling},
    {"seed",            "-s,--seed",                   "N",      "Of picture 0; picture i adds i; negative: random",
     &J::seed,            &R::seed,            no_limits,       "Seed",      G::sampling},
    {"width",           "-W,--width",                  "PIXELS", "Width of the picture",
     &J::width,           &R::width,           side_limits,     "Size",      G::picture},
    {"height",          "-H,--height",                 "PIXELS", "Height of the picture",
     &J::height,          &R::height,          side_limits,     "Size",      G::picture},
    {"original_size",   "--original-size",             "WxH",    "sdxl: size the network is told the picture had",
     &J::original_size,   &R::original_size,   side_limits,     "",          G::picture},
    {"crop",            "--crop",                      "X,Y",    "sdxl: where the network is told it was cropped",
     &J::crop,            &R::crop,            crop_limits,     "",          G::picture},
    {"image",           "-i,--image",                  "FILE",   "Start from this picture; -: from stdin",
     &J::image,           &R::image,           no_limits,       "",          G::source},
    {"init_latent",     "--init-latent",               "FILE",   "Start from this latent, or go on with it; -: stdin",
     &J::init_latent,     &R::init_latent,     no_limits,       "",          G::source},
    {"stop_at",         "--stop-at",                   "N",      "Stop after so many of the steps; needs --latent",
     &J::stop_at,         &R::stop_at,         step_limits,     "",          G::source},
    {"strength",        "--strength",                  "PART",   "How much of it is drawn anew, 0 to 1",
     &J::strength,        &R::strength,        strength_limits, denoising,   G::source},
    {"fit",             "--fit",                       "NAME",   "Another shape: stretch, crop or pad it",
     &J::fit,             &R::fit,             no_limits,       "",          G::source},
    {"mask",            "--mask",                      "FILE",   "Draw anew only where this picture is white",
     &J::mask,            &R::mask,            no_limits,       "",          G::source},
    {"mask_paste",      "--mask-paste",                "NAME",   "on: other pixels stay to the bit; off: by the VAE",
     &J::mask_paste,      &R::mask_paste,      no_limits,       "",          G::source},
    {"hires",           "--hires",                     "SCALE",  "Enlarge the picture, and draw it once more",
     &J::hires,           &R::hires,           hires_limits,    "Hires upscale", G::source},
    {"hires_steps",     "--hires-steps",               "N",      "Steps of the second pass, before its strength",
     &J::hires_steps,     &R::hires_steps,     step_limits,     "Hires steps", G::source},
    {"hires_strength",  "--hires-strength",            "PART",   "How much the second pass draws anew, 0 to 1",
     &J::hires_strength,  &R::hires_strength,  strength_limits, denoising,   G::source},
    {"then",            "--then",                      "MODEL[:PART]", "Go on with this model, drawing that much anew",
     &J::then,            &R::then,            no_limits,       "Then",      G::source},
    {"model",           "-m,--model",                  "NAME",   "Name or folder of the model",
     &J::model,           not_in_job,          no_limits,       "Model",     G::machine},
    {"batch",           "-b,--batch",                  "N",      "How many pictures to make",
     &J::batch,           &R::batch,           batch_limits,    "",          G::picture},
    {"vae_tiling",      "--vae-tiling",                "NAME",   "auto, on or off: large pictures piece by piece",
     &J::vae_tiling,      &R::vae_tiling,      no_limits,       "",          G::machine},
    {"device",          "--device",                    "NAME",   "auto, cpu or cuda",
     &J::device,          &R::device,          no_limits,       "",          G::machine},
    {"dtype",           "--dtype",                     "NAME",   "auto, fp32, bf16 or fp16",
     &J::dtype,           &R::dtype,           no_limits,       "",          G::machine},
    {"threads",         "-t,--threads",                "N",      "CPU threads; 0: one for each physical core",
     &J::threads,         &R::threads,         thread_limits,   "",          G::machine},
}};
// clang-format on

[[noreturn]] void refuse_number(const JobField& field, std::string_view text, const std::string& expected) {
  throw Error(ErrorKind::usage, field_name(field.key) + " is \"" + std::string(text) + "\"; expected " + expected);
}

template <typename Number>
Number parse_number(const JobField& field, std::string_view text, const std::string& expected) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc::result_out_of_range && field.limits) {
    refuse_number(field, text, number_text(field.limits->lowest) + " to " + number_text(field.limits->highest));
  }
  if (code != std::errc() || stop != end) refuse_number(field, text, expected);
  return value;
}

std::string list_text(std::span<const double> numbers) {
  std::string text;
  for (const double number : numbers) text += (text.empty() ? "" : ",") + number_text(number);
  return text;
}

/// One resolved value, or none.
struct ValueOf {
  using Value = std::optional<FieldValue>;
  const ResolvedJob& job;
  const Model& model;

  Value operator()(std::monostate) const { return model.name; }
  Value operator()(std::string ResolvedJob::*member) const { return job.*member; }
  Value operator()(std::vector<std::string> ResolvedJob::*member) const { return job.*member; }
  Value operator()(PromptSyntax ResolvedJob::*member) const { return prompt_syntax_name(job.*member); }
  Value operator()(int ResolvedJob::*member) const { return std::int64_t{job.*member}; }
  Value operator()(std::uint64_t ResolvedJob::*member) const {
    const std::uint64_t number = job.*member;
    if (std::in_range<std::int64_t>(number)) return static_cast<std::int64_t>(number);
    return number;
  }
  Value operator()(double ResolvedJob::*member) const { return job.*member; }
  Value operator()(std::optional<Spacing> ResolvedJob::*member) const {
    if (!(job.*member)) return std::nullopt;
    return spacing_name(*(job.*member));
  }
  Value operator()(std::optional<std::string> ResolvedJob::*member) const { return job.*member; }
  Value operator()(std::optional<double> ResolvedJob::*member) const { return job.*member; }
  Value operator()(std::optional<std::vector<double>> ResolvedJob::*member) const {
    if (!(job.*member)) return std::nullopt;
    return list_text(*(job.*member));
  }
  Value operator()(Interval ResolvedJob::*member) const {
    const Interval& interval = job.*member;
    return list_text(std::array{interval.from, interval.to});
  }
  Value operator()(std::optional<int> ResolvedJob::*member) const {
    if (!(job.*member)) return std::nullopt;
    return std::int64_t{*(job.*member)};
  }
  Value operator()(std::optional<PixelSize> ResolvedJob::*member) const {
    if (!(job.*member)) return std::nullopt;
    return std::to_string((job.*member)->width) + "x" + std::to_string((job.*member)->height);
  }
  Value operator()(std::optional<PixelOffset> ResolvedJob::*member) const {
    if (!(job.*member)) return std::nullopt;
    return std::to_string((job.*member)->x) + "," + std::to_string((job.*member)->y);
  }
};

/// Sets a field of a job from text.
struct SetFrom {
  Job& job;
  const JobField& field;
  std::string_view text;

  void operator()(std::string Job::*member) const { job.*member = text; }
  void operator()(std::vector<std::string> Job::*member) const { (job.*member).emplace_back(text); }
  void operator()(std::optional<std::string> Job::*member) const { job.*member = std::string(text); }
  void operator()(std::optional<std::int64_t> Job::*member) const {
    job.*member = parse_number<std::int64_t>(field, text, "a whole number");
  }
  void operator()(std::optional<std::uint64_t> Job::*member) const {
    job.*member = parse_seed(text, field_name(field.key));
  }
  void operator()(std::optional<double> Job::*member) const {
    job.*member = parse_number<double>(field, text, "a number");
  }
};

}  // namespace

std::span<const JobField> job_fields() { return rows; }

std::string_view group_title(FieldGroup group) {
  switch (group) {
    case FieldGroup::prompt: return "Prompt";
    case FieldGroup::picture: return "Picture";
    case FieldGroup::sampling: return "Sampling";
    case FieldGroup::source: return "From a picture, and larger";
    case FieldGroup::machine: return "Model and machine";
  }
  throw Error(ErrorKind::internal, "unknown field group");
}

std::string_view long_flag(const JobField& field) {
  const std::string_view from_long = field.flags.substr(field.flags.find("--"));
  return from_long.substr(0, from_long.find(','));
}

const JobField& find_job_field(std::string_view key) {
  std::vector<std::string> keys;
  for (const JobField& field : rows) {
    if (field.key == key) return field;
    keys.emplace_back(field.key);
  }
  throw Error(ErrorKind::usage, "a job has no field \"" + std::string(key) + "\"; it has " + listed(keys) + "." +
                                    did_you_mean(key, keys));
}

void set_field(Job& job, const JobField& field, std::string_view text) {
  std::visit(SetFrom{job, field, text}, field.member);
}

std::optional<std::uint64_t> parse_seed(std::string_view text, std::string_view name) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative ? 1 : 0);
  std::uint64_t seed = 0;
  const auto [stop, code] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  const bool whole = !digits.empty() && stop == digits.data() + digits.size();
  if (whole && negative && code != std::errc::invalid_argument) return std::nullopt;
  if (whole && code == std::errc()) return seed;
  throw Error(ErrorKind::usage, std::string(name) + " is \"" + std::string(text) +
                                    "\"; expected a whole number up to 18446744073709551615, or -1 for a random one");
}

void copy_field(Job& to, const Job& from, const JobField& field) {
  std::visit([&](auto member) { to.*member = from.*member; }, field.member);
}

std::vector<std::pair<std::string, FieldValue>> resolved_fields(const ResolvedJob& job, const Model& model) {
  std::vector<std::pair<std::string, FieldValue>> fields;
  for (const JobField& field : rows) {
    std::optional<FieldValue> value = std::visit(ValueOf{job, model}, field.resolved);
    if (value) fields.emplace_back(field.key, std::move(*value));
  }
  return fields;
}

}  // namespace lapis::core
