#include "core/job/job_fields.hpp"

#include <array>
#include <cassert>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/latent/units.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

using J = Job;
using R = ResolvedJob;
using G = FieldGroup;
using P = FieldPhase;

constexpr std::optional<Limits> no_limits = std::nullopt;
constexpr Unrecorded unrecorded = {};
constexpr ModelName not_in_job = {};
constexpr std::string_view denoising = "Denoising strength";

constexpr Inherits nobody = {FromRecord::never, false};
constexpr Inherits stage = {FromRecord::never, true};
constexpr Inherits record = {FromRecord::always, false};
constexpr Inherits both = {FromRecord::always, true};
constexpr Inherits run = {FromRecord::same_space, false};
constexpr Inherits run_stage = {FromRecord::same_space, true};

std::vector<std::string> no_choices() { return {}; }
std::vector<std::string> switches() { return {"on", "off"}; }
std::vector<std::string> tilings() { return {"auto", "on", "off"}; }
std::vector<std::string> devices() { return {"auto", "cpu", "cuda"}; }
std::vector<std::string> dtypes() { return {"auto", "fp32", "bf16", "fp16"}; }

std::vector<std::string> unit_names() { return row_names(units_rows()); }
std::vector<std::string> syntaxes() { return row_names(prompt_syntaxes()); }
std::vector<std::string> sampler_names() { return row_names(samplers()); }
std::vector<std::string> schedule_names() { return row_names(schedules()); }
std::vector<std::string> spacing_names() { return row_names(spacings()); }
std::vector<std::string> resize_mode_names() { return row_names(resize_modes()); }

// clang-format off
constexpr std::array<JobField, 53> field_rows = {{
    // key                flags                          value             group        phase      inherits
    // choices      help
    // member               resolved                limits           a1111
    {"prompt",            "-p,--prompt",                 "TEXT",           G::prompt,    P::prompt,  both,
     no_choices,     "What the picture shows; @FILE or - reads it",
     &J::prompt,             &R::prompt,             no_limits,       ""},
    {"negative_prompt",   "-n,--negative-prompt",        "TEXT",           G::prompt,    P::prompt,  both,
     no_choices,     "What it must not show; the same",
     &J::negative_prompt,    &R::negative_prompt,    no_limits,       ""},
    {"prompt_syntax",     "--prompt-syntax",             "NAME",           G::prompt,    P::prompt,  both,
     syntaxes,       "Brackets in the prompts: %",
     &J::prompt_syntax,      &R::prompt_syntax,      no_limits,       "Prompt syntax"},
    {"clip_skip",         "--clip-skip",                 "N",              G::prompt,    P::prompt,  record,
     no_choices,     "Layer of the text encoder from its end; 1: the last",
     &J::clip_skip,          &R::clip_skip,          no_limits,       "Clip skip"},
    {"embeddings",        "--embedding",                 "[NAME=]FILE",    G::prompt,    P::prompt,  stage,
     no_choices,     "Textual inversion, or a folder of them; repeat",
     &J::embeddings,         &R::embeddings,         no_limits,       "TI hashes"},
    {"loras",             "--lora",                      "FILE[:WEIGHT]",  G::prompt,    P::load,    run_stage,
     no_choices,     "LoRA to add to the model's weights; repeat",
     &J::loras,              &R::loras,              no_limits,       "Lora hashes"},
    {"lora_dirs",         "--lora-dir",                  "DIR",            G::prompt,    P::load,    nobody,
     no_choices,     "Folder where LoRAs are found by name; repeat",
     &J::lora_dirs,          unrecorded,             no_limits,       ""},
    {"steps",             "--steps",                     "N",              G::sampling,  P::sample,  run,
     no_choices,     "Denoising steps",
     &J::steps,              &R::steps,              step_limits,     "Steps"},
    {"sampler",           "--sampler,--sampling-method", "NAME",           G::sampling,  P::sample,  run,
     sampler_names,  "How the steps are taken",
     &J::sampler,            &R::sampler,            no_limits,       "Sampler"},
    {"schedule",          "--schedule,--scheduler",      "NAME",           G::sampling,  P::sample,  run,
     schedule_names, "How the steps' noise levels lie",
     &J::schedule,           &R::schedule,           no_limits,       "Schedule type"},
    {"spacing",           "--spacing",                   "NAME",           G::sampling,  P::sample,  run,
     spacing_names,  "Of schedule own: %",
     &J::spacing,            &R::spacing,            no_limits,       ""},
    {"zero_snr",          "--zero-snr",                  "NAME",           G::sampling,  P::sample,  run,
     switches,       "on: betas rescaled to end in noise alone; off: as made",
     &J::zero_snr,           &R::zero_snr,           no_limits,       ""},
    {"sigmas",            "--sigmas",                    "LIST",           G::sampling,  P::sample,  run,
     no_choices,     "The noise levels by hand: falling, with commas",
     &J::sigmas,             &R::sigmas,             no_limits,       ""},
    {"shift",             "--shift",                     "FACTOR",         G::sampling,  P::sample,  run,
     no_choices,     "Of a flow model's noise levels, towards noise",
     &J::shift,              &R::shift,              shift_limits,    "Shift"},
    {"eta",               "--eta",                       "SHARE",          G::sampling,  P::sample,  run,
     no_choices,     "Fresh noise on the way, 0 to 1",
     &J::eta,                &R::eta,                eta_limits,      "Eta"},
    {"guidance",          "--guidance,--cfg-scale",      "SCALE",          G::sampling,  P::prompt,  run,
     no_choices,     "Weight of the prompt; 1 or less: no negative pass",
     &J::guidance,           &R::guidance,           guidance_limits, "CFG scale"},
    {"true_guidance",     "--true-guidance",             "SCALE",          G::sampling,  P::prompt,  run,
     no_choices,     "flux: weight of the prompt against the negative",
     &J::true_guidance,      &R::true_guidance,      guidance_limits, "CFG scale"},
    {"guidance_interval", "--guidance-interval",         "A,B",            G::sampling,  P::sample,  run,
     no_choices,     "Guide only from A to B of the steps, 0 to 1",
     &J::guidance_interval,  &R::guidance_interval,  no_limits,       ""},
    {"guidance_rescale",  "--guidance-rescale",          "SHARE",          G::sampling,  P::sample,  run,
     no_choices,     "Give guidance the unguided spread back, 0 to 1",
     &J::guidance_rescale,   &R::guidance_rescale,   rescale_limits,  ""},
    {"seed",              "-s,--seed",                   "N",              G::sampling,  P::start,   both,
     no_choices,     "Of picture 0; picture i adds i; negative: random",
     &J::seed,               &R::seed,               no_limits,       "Seed"},
    {"width",             "-W,--width",                  "PIXELS",         G::picture,   P::start,   nobody,
     no_choices,     "Width of the picture",
     &J::width,              &R::width,              side_limits,     "Size"},
    {"height",            "-H,--height",                 "PIXELS",         G::picture,   P::start,   nobody,
     no_choices,     "Height of the picture",
     &J::height,             &R::height,             side_limits,     "Size"},
    {"original_size",     "--original-size",             "WxH",            G::picture,   P::prompt,  record,
     no_choices,     "sdxl: size the network is told the picture had",
     &J::original_size,      &R::original_size,      side_limits,     ""},
    {"crop",              "--crop",                      "X,Y",            G::picture,   P::prompt,  record,
     no_choices,     "sdxl: where the network is told it was cropped",
     &J::crop,               &R::crop,               crop_limits,     ""},
    {"image",             "-i,--image",                  "FILE",           G::source,    P::start,   nobody,
     no_choices,     "Start from this picture; -: from stdin",
     &J::image,              &R::image,              no_limits,       ""},
    {"init_latent",       "--init-latent",               "FILE",           G::source,    P::start,   nobody,
     no_choices,     "Start from this latent, or go on with it; -: stdin",
     &J::init_latent,        &R::init_latent,        no_limits,       ""},
    {"stop_at",           "--stop-at",                   "N",              G::source,    P::sample,  nobody,
     no_choices,     "Stop after so many of the steps; needs --latent",
     &J::stop_at,            &R::stop_at,            step_limits,     ""},
    {"strength",          "--strength",                  "PART",           G::source,    P::start,   record,
     no_choices,     "How much of it is drawn anew, 0 to 1",
     &J::strength,           &R::strength,           strength_limits, denoising},
    {"fit",               "--fit",                       "NAME",           G::source,    P::start,   nobody,
     resize_mode_names,      "Another shape: % it",
     &J::fit,                &R::fit,                no_limits,       ""},
    {"mask",              "--mask",                      "FILE",           G::source,    P::start,   nobody,
     no_choices,     "Draw anew only where this picture is white",
     &J::mask,               &R::mask,               no_limits,       ""},
    {"mask_paste",        "--mask-paste",                "NAME",           G::source,    P::decode,  nobody,
     switches,       "on: other pixels stay to the bit; off: by the VAE",
     &J::mask_paste,         &R::mask_paste,         no_limits,       ""},
    {"hires",             "--hires",                     "SCALE",          G::source,    P::sample,  nobody,
     no_choices,     "Enlarge the picture, and draw it once more",
     &J::hires,              &R::hires,              hires_limits,    "Hires upscale"},
    {"hires_steps",       "--hires-steps",               "N",              G::source,    P::sample,  nobody,
     no_choices,     "Steps of the second pass, before its strength",
     &J::hires_steps,        &R::hires_steps,        step_limits,     "Hires steps"},
    {"hires_strength",    "--hires-strength",            "PART",           G::source,    P::sample,  nobody,
     no_choices,     "How much the second pass draws anew, 0 to 1",
     &J::hires_strength,     &R::hires_strength,     strength_limits, denoising},
    {"then",              "--then",                      "MODEL[:PART]",   G::source,    P::sample,  nobody,
     no_choices,     "Go on with this model, drawing that much anew",
     &J::then,               &R::then,               no_limits,       "Then"},
    {"model",             "-m,--model",                  "NAME",           G::machine,   P::load,    nobody,
     no_choices,     "Name or folder of the model",
     &J::model,              not_in_job,             no_limits,       "Model"},
    {"batch",             "-b,--batch",                  "N",              G::picture,   P::start,   nobody,
     no_choices,     "How many pictures to make",
     &J::batch,              &R::batch,              batch_limits,    ""},
    {"vae_tiling",        "--vae-tiling",                "NAME",           G::machine,   P::start,   both,
     tilings,        "%: large pictures piece by piece",
     &J::vae_tiling,         &R::vae_tiling,         no_limits,       ""},
    {"device",            "--device",                    "NAME",           G::machine,   P::load,    both,
     devices,        "%",
     &J::device,             &R::device,             no_limits,       ""},
    {"dtype",             "--dtype",                     "NAME",           G::machine,   P::load,    both,
     dtypes,         "%",
     &J::dtype,              &R::dtype,              no_limits,       ""},
    {"vae_dtype",         "--vae-dtype",                 "NAME",           G::machine,   P::load,    both,
     dtypes,         "What the VAE computes in: %",
     &J::vae_dtype,          &R::vae_dtype,          no_limits,       ""},
    {"threads",           "-t,--threads",                "N",              G::machine,   P::load,    both,
     no_choices,     "CPU threads; 0: one for each physical core",
     &J::threads,            &R::threads,            thread_limits,   ""},
    {"no_convert",        "--no-convert",                "",               G::transcode, P::start,   nobody,
     no_choices,     "Refuse what would take a decode and an encode",
     &J::no_convert,         unrecorded,             no_limits,       ""},
    {"measure",           "--measure",                   "",               G::transcode, P::start,   nobody,
     no_choices,     "Decode what was encoded, and record the PSNR",
     &J::measure,            unrecorded,             no_limits,       ""},
    {"compensate",        "--compensate",                "",               G::transcode, P::start,   nobody,
     no_choices,     "Shift colours against the VAE's drift, where that is nearer",
     &J::compensate,         unrecorded,             no_limits,       ""},
    {"space",             "--space",                     "SPACE",          G::hints,     P::start,   nobody,
     no_choices,     "Space of its numbers: ID, ID:LINEAGE or a model's name",
     &J::space,              unrecorded,             no_limits,       ""},
    {"init_units",        "--init-units",                "NAME",           G::hints,     P::start,   nobody,
     unit_names,     "What its numbers are: %",
     &J::init_units,         unrecorded,             no_limits,       ""},
    {"init_format",       "--init-format",               "NAME",           G::hints,     P::start,   nobody,
     no_choices,     "Whose convention it keeps; lapis list formats",
     &J::init_format,        unrecorded,             no_limits,       ""},
    {"init_size",         "--init-size",                 "WxH",            G::hints,     P::start,   nobody,
     no_choices,     "Of its picture: packed tokens do not tell",
     &J::init_size,          unrecorded,             no_limits,       ""},
    {"output",            "-o,--output",                 "FILE",           G::output,    P::write,   nobody,
     no_choices,     "PNG to write, - for stdout; {seed} and {index} are filled in",
     &J::output,             unrecorded,             no_limits,       ""},
    {"latent",            "--latent",                    "FILE",           G::output,    P::write,   nobody,
     no_choices,     "Write the latents; no picture then unless -o asks for it; -: stdout",
     &J::latent,             unrecorded,             no_limits,       ""},
    {"overwrite",         "--overwrite",                 "",               G::output,    P::write,   nobody,
     no_choices,     "Replace what is there",
     &J::overwrite,          unrecorded,             no_limits,       ""},
    {"skip_existing",     "--skip-existing",             "",               G::output,    P::write,   nobody,
     no_choices,     "Leave what is there, and do no work for it",
     &J::skip_existing,      unrecorded,             no_limits,       ""},
}};
// clang-format on

[[noreturn]] void refuse_value(const JobField& field, std::string_view text, const std::string& expected) {
  throw Error(ErrorKind::usage, sentence("{} is \"{}\"; expected {}", field_name(field.key), text, expected));
}

template <typename Number>
Number parse_number(const JobField& field, std::string_view text, const std::string& expected) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc::result_out_of_range && field.limits) {
    refuse_value(field, text,
                 sentence("{} to {}", number_text(field.limits->lowest), number_text(field.limits->highest)));
  }
  if (code != std::errc() || stop != end) refuse_value(field, text, expected);
  return value;
}

bool parse_switch(const JobField& field, std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  refuse_value(field, text, "true or false");
}

std::string list_text(std::span<const double> numbers) {
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(number_text(number));
  return joined(texts, ",");
}

/// One resolved value, or none.
struct ValueOf {
  using Value = std::optional<FieldValue>;
  const ResolvedJob& job;
  const Model& model;

  Value operator()(Unrecorded) const { return std::nullopt; }
  Value operator()(ModelName) const { return model.name; }
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

  void operator()(bool Job::*member) const { job.*member = parse_switch(field, text); }
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

std::span<const JobField> job_fields() { return field_rows; }

std::string_view group_title(FieldGroup group) {
  switch (group) {
    case FieldGroup::prompt: return "Prompt";
    case FieldGroup::picture: return "Picture";
    case FieldGroup::sampling: return "Sampling";
    case FieldGroup::source: return "From a picture, and larger";
    case FieldGroup::machine: return "Model and machine";
    case FieldGroup::transcode: return "Into the model's space";
    case FieldGroup::hints: return "What a latent's file does not say itself";
    case FieldGroup::output: return "Output";
  }
  throw Error(ErrorKind::internal, "unknown field group");
}

std::string_view long_flag(const JobField& field) {
  const std::string_view from_long = field.flags.substr(field.flags.find("--"));
  return from_long.substr(0, from_long.find(','));
}

bool is_recorded(const JobField& field) { return !std::holds_alternative<Unrecorded>(field.resolved); }

std::string either_of(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
  }
  return text;
}

std::string help_text(const JobField& field) {
  std::string text(field.help);
  const std::size_t at = text.find('%');
  return at == std::string::npos ? text : text.replace(at, 1, either_of(field.choices()));
}

void check_limits(const JobField& field, double value) {
  const auto problem = limit_problem(field_name(field.key), value, field.limits.value());
  if (problem) throw Error(ErrorKind::usage, *problem);
}

const JobField& find_job_field(std::string_view key) {
  std::vector<std::string> keys;
  for (const JobField& field : field_rows) {
    if (field.key == key) return field;
    keys.emplace_back(field.key);
  }
  throw Error(ErrorKind::usage,
              sentence("a job has no field \"{}\"; it has {}{}", key, listed(keys), guess(key, keys)));
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
  throw Error(
      ErrorKind::usage,
      sentence("{} is \"{}\"; expected a whole number up to 18446744073709551615, or -1 for a random one", name, text));
}

void copy_field(Job& to, const Job& from, const JobField& field) {
  std::visit([&](auto member) { to.*member = from.*member; }, field.member);
}

std::set<std::string> named_fields(const Job& job) {
  const Job nothing;
  std::set<std::string> keys;
  for (const JobField& field : field_rows) {
    const auto is_named = [&](auto member) { return !(job.*member == nothing.*member); };
    if (std::visit(is_named, field.member)) keys.emplace(field.key);
  }
  return keys;
}

std::vector<std::pair<std::string, FieldValue>> resolved_fields(const ResolvedJob& job, const Model& model) {
  std::vector<std::pair<std::string, FieldValue>> fields;
  for (const JobField& field : field_rows) {
    std::optional<FieldValue> value = std::visit(ValueOf{job, model}, field.resolved);
    if (value) fields.emplace_back(field.key, std::move(*value));
  }
  return fields;
}

}  // namespace lapis::core
