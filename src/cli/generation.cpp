#include "cli/generation.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <utility>

#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/route_text.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/text/job_limits.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/output_names.hpp"
#include "pipeline/render.hpp"

namespace lapis::cli {
namespace {

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// Throws Error{usage} for options of a latent on its way into the model's space, where there is none; `is_refined`
/// where no option could name one.
void refuse_transcode_options(const core::RouteOptions& options, const HintOptions& hints, bool is_refined) {
  const std::array<std::pair<const char*, bool>, 7> asked = {{
      {"--no-convert", !options.may_convert},
      {"--measure", options.measure},
      {"--compensate", options.compensate},
      {"--space", !hints.space.empty()},
      {"--init-units", !hints.units.empty()},
      {"--init-format", !hints.format.empty()},
      {"--init-size", !hints.size.empty()},
  }};
  for (const auto& [flag, is_given] : asked) {
    if (!is_given) continue;
    throw Error(ErrorKind::usage, std::string(flag) + " is for a latent to start from, and there is none.",
                is_refined ? "Leave it out" : "Leave it out, or name one: --init-latent FILE");
  }
}

/// What is asked of the pipeline, its latent read.
pipeline::RenderAsked render_asked(const GenerationOptions& options, pipeline::ModelCatalog& catalog) {
  pipeline::RenderAsked asked;
  asked.asked = options.asked;
  asked.handoff = options.handoff;
  asked.lora_folders = options.lora_folders;
  asked.pictures = options.draws();
  const Job& job = options.asked.job;
  std::shared_ptr<const io::LatentSource> source = options.source;
  if (job.init_latent) {
    const io::LatentHints hints = latent_hints(options.hints, catalog, "init-");
    if (!source) {
      source = std::make_shared<io::LatentSource>(
          latent_source(*job.init_latent, "lapis generate --init-latent - < a.safetensors"));
    }
    asked.latent = {pipeline::named_latent(*source, hints), io::sha256(source->bytes())};
  } else if (source) {
    const std::span<const std::byte> bytes = source->bytes();
    asked.picture = {source->name(), {bytes.begin(), bytes.end()}};
  } else if (job.image) {
    check_stdin(*job.image, "a picture", "lapis ... - < a.png");
  }
  if (job.mask && !job.init_latent) check_stdin(*job.mask, "a picture", "lapis ... - < a.png");
  return asked;
}

void print_sampling(const ResolvedJob& job, const Model& model) {
  print_line(model.name + ": " + core::count_text(static_cast<std::uint64_t>(job.batch), "picture") + " of " +
             core::size_text({job.width, job.height}) + " pixels, " +
             core::count_text(static_cast<std::uint64_t>(job.steps), "step") + " of " + job.sampler +
             (job.strength ? " at strength " + core::number_text(*job.strength) : "") + ", seed " +
             std::to_string(job.seed));
}

void print_plan(const pipeline::RenderPlan& plan, bool json) {
  if (json) {
    print_json(io::plan_report(core::resolved_fields(plan.job, *plan.model), plan.routes()));
    return;
  }
  if (plan.latent) print_route(plan.latent->handoff);
  print_sampling(plan.job, *plan.model);
  if (!plan.stage) return;
  print_route(plan.stage->handoff);
  print_sampling(plan.stage->job, *plan.stage->model);
}

/// Where pictures and latents go.
class Outputs {
 public:
  Outputs(const GenerationOptions& options, const ResolvedJob& job) : options_(options) { check(job); }

  void save(const pipeline::DrawnPicture& picture, pipeline::Clock::time_point start) const {
    const auto writing = pipeline::Clock::now();
    const std::string path = names_->name(picture.index);
    write_output(path, picture.png, options_.overwrite);
    if (options_.json) {
      io::RunTimings timings = picture.timings;
      timings.png += pipeline::seconds_since(writing);
      timings.total = pipeline::seconds_since(start);
      print_json(io::picture_line({path, io::sha256(picture.png), picture.index, picture.device, picture.dtype,
                                   picture.fields, picture.size.width, picture.size.height, picture.history,
                                   spelled(picture.notes), spelled(picture.warnings), timings}));
    } else if (!names_->is_stdout() && options_.latent != "-") {
      print_line(path);
    }
    flush_output();
  }

  void save(const pipeline::RenderResult& result, pipeline::Clock::time_point start) const {
    if (options_.latent.empty()) return;
    const std::vector<std::byte> bytes = io::latent_bytes(result.latents);
    write_output(options_.latent, bytes, options_.overwrite);
    if (options_.draws() || options_.latent == "-") return;
    if (!options_.json) {
      print_line(options_.latent);
      return;
    }
    io::RunTimings timings = result.timings;
    timings.total = pipeline::seconds_since(start);
    const PixelSize size = core::picture_size(result.latents.passport);
    print_json(io::latent_line({options_.latent, io::sha256(bytes), 0, result.device, result.dtype, result.fields,
                                size.width, size.height, result.history, spelled(result.notes), spelled(result.warnings),
                                timings},
                               io::to_latent(result.latents)));
  }

 private:
  /// Everything that would fail only after the work is done is tried before it.
  void check(const ResolvedJob& job) {
    const bool latents = !options_.latent.empty();
    const bool latents_on_stdout = options_.latent == "-";
    if (job.stop_at && !latents) {
      throw Error(ErrorKind::usage, "--stop-at leaves a latent, and no picture. Say where to keep it: --latent FILE");
    }
    if (job.stop_at && options_.draws()) {
      throw Error(ErrorKind::usage, "--stop-at leaves no picture to write. Leave -o out");
    }
    if (latents) check_latent();
    if (latents_on_stdout && options_.json) {
      throw Error(ErrorKind::usage, "--json and --latent - both want standard output. Name a file with --latent");
    }
    if (!options_.draws()) return;
    names_.emplace(pipeline::in_folder(options_.output, default_output), job.seed, job.batch);
    if (names_->is_stdout()) {
      if (latents_on_stdout)
        throw Error(ErrorKind::usage, "--latent - and -o - both want standard output. Name a file with -o");
      check_stdout(options_.json, "a PNG", "lapis generate ... -o - > a.png");
    }
    for (int i = 0; !names_->is_stdout() && i < job.batch; ++i) {
      io::check_writable(names_->name(i), options_.overwrite);
      if (latents && is_same_file(names_->name(i), options_.latent)) {
        throw Error(ErrorKind::usage, "-o and --latent both name " + options_.latent + ".",
                    "Give pictures and latents files of their own");
      }
    }
  }

  void check_latent() const {
    if (options_.latent != "-") {
      io::check_writable(options_.latent, options_.overwrite);
    } else if (stdout_is_terminal()) {
      throw Error(
          ErrorKind::usage,
          "--latent - would write numbers to the terminal. Pipe them: lapis generate ... --latent - > a.safetensors");
    }
  }

  const GenerationOptions& options_;
  std::optional<pipeline::OutputNames> names_;
};

/// What the job says of its outputs, and of a latent on its way into the model's space.
void take_job(GenerationOptions& options) {
  const Job& job = options.asked.job;
  options.hints = {job.space.value_or(""), job.init_units.value_or(""), job.init_format.value_or(""),
                   job.init_size.value_or("")};
  options.handoff = {!job.no_convert, job.measure, job.compensate};
  options.lora_folders = job.lora_dirs;
  options.output = job.output.value_or(default_output);
  options.names_output = job.output.has_value();
  options.latent = job.latent.value_or("");
  options.overwrite = job.overwrite;
}

}  // namespace

void declare_generation(CLI::App& app, GenerationOptions& options) {
  const char* const output = "Output";
  app.add_flag("--dry-run", options.dry_run, "Show what would be drawn, and on which way; draw nothing")->group(output);
  app.add_flag("--json", options.json, "One JSON line a picture on stdout")->group(output);
}

int generate(GenerationOptions& options) {
  const auto start = pipeline::Clock::now();
  take_job(options);
  const pipeline::AskedJob& asked = options.asked;
  if (!asked.named.contains("prompt") && !asked.job.init_latent) {
    throw Error(ErrorKind::usage,
                "there is no prompt. Say what the picture shows: --prompt \"a serene lakeside at sunset\"");
  }
  pipeline::ModelCatalog catalog;
  pipeline::RenderPlan plan = pipeline::plan_render(render_asked(options, catalog), catalog, random_number());
  if (!plan.latent && !plan.stage) {
    refuse_transcode_options(options.handoff, options.hints, /*is_refined=*/options.source != nullptr);
  }
  const Outputs outputs(options, plan.job);
  pipeline::EngineDoor door({plan.job.device, plan.job.dtype, plan.job.threads});
  Progress progress;
  const pipeline::Events events = listener(progress);
  pipeline::PreparedRender prepared =
      pipeline::prepare_render(std::move(plan), options.dry_run ? nullptr : &door, events);
  if (options.dry_run) {
    door.check();
    print_plan(prepared.plan, options.json);
    return 0;
  }
  const pipeline::RenderResult result = pipeline::render(
      std::move(prepared), door, events, [&](const pipeline::DrawnPicture& picture) { outputs.save(picture, start); });
  outputs.save(result, start);
  return 0;
}

}  // namespace lapis::cli
