#include "cli/generation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "cli/option_group.hpp"
#include "cli/progress.hpp"
#include "cli/route_text.hpp"
#include "cli/signals.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/render.hpp"
#include "pipeline/render_asked.hpp"
#include "pipeline/render_outputs.hpp"
#include "pipeline/render_request.hpp"

namespace lapis::cli {
namespace {

/// What is asked of the pipeline, its latent read.
pipeline::RenderAsked render_asked(const GenerationOptions& options, pipeline::ModelCatalog& catalog) {
  const Job& job = options.asked.job;
  std::shared_ptr<const io::LatentSource> source = options.source;
  if (job.init_latent && !source) {
    source = std::make_shared<io::LatentSource>(
        latent_source(*job.init_latent, "lapis generate --init-latent - < a.safetensors"));
  }
  if (job.image && !source) check_stdin(*job.image, "a picture", "lapis ... - < a.png");
  if (job.mask && !job.init_latent) check_stdin(*job.mask, "a picture", "lapis ... - < a.png");
  pipeline::RenderAsked asked = pipeline::render_asked(options.asked, std::move(source), catalog);
  asked.record = options.record;
  return asked;
}

/// How many pictures of a plan are drawn.
int wanted_pictures(const pipeline::RenderPlan& plan) {
  return plan.wanted.empty() ? plan.job.batch : static_cast<int>(plan.wanted.size());
}

void print_sampling(const ResolvedJob& job, const Model& model, int pictures) {
  const std::string strength = job.strength ? core::sentence(" at strength {}", core::number_text(*job.strength)) : "";
  print_line(core::sentence(
      "{}: {} of {} pixels, {} of {}{}, seed {}", model.name,
      core::count_text(static_cast<std::uint64_t>(pictures), "picture"), core::size_text({job.width, job.height}),
      core::count_text(static_cast<std::uint64_t>(job.steps), "step"), job.sampler, strength, job.seed));
}

/// What a signal has left of it, `written` pictures being finished.
std::string stop_text(const pipeline::RenderOutputs& outputs, std::size_t written) {
  const std::size_t wanted = pipeline::written_places(outputs.pictures).size();
  if (wanted == 0) return core::sentence("{} ended it: the latents are not written", asked_signal_name());
  const std::string latents = outputs.writes_latent() ? "; the latents are not written" : "";
  return core::sentence("{} ended it: {} of {} finished{}", asked_signal_name(), written,
                        core::count_text(wanted, "picture"), latents);
}

void check_stdout(const GenerationOptions& options, const pipeline::RenderOutputs& outputs) {
  for (const pipeline::Output& output : outputs.all()) {
    if (output.path != "-") continue;
    if (output.index) {
      check_stdout(options.outputs, "-o", "a PNG to the terminal. Pipe it: lapis generate ... -o - > a.png");
    } else {
      check_stdout(options.outputs, "--latent",
                   "numbers to the terminal. Pipe them: lapis generate ... --latent - > a.safetensors");
    }
  }
}

void print_plan(const GenerationOptions& options, const pipeline::RenderOutputs& outputs,
                const pipeline::RenderPlan& plan) {
  const std::vector<pipeline::Output> all = outputs.all();
  if (options.outputs.json) {
    std::optional<std::vector<std::string>> skipped;
    if (options.outputs.skip_existing) skipped = pipeline::paths_that_stay(all);
    print_json(io::plan_report(core::resolved_fields(plan.job, *plan.model), plan.routes(), skipped));
    return;
  }
  report_skipped(options.outputs, all, /*dry_run=*/true);
  if (pipeline::all_stay(all)) return;
  if (plan.latent) print_route(plan.latent->handoff);
  print_sampling(plan.job, *plan.model, plan.stage ? plan.job.batch : wanted_pictures(plan));
  if (!plan.stage) return;
  print_route(plan.stage->handoff);
  print_sampling(plan.stage->job, *plan.stage->model, wanted_pictures(plan));
}

/// The job that a file records, with what was said on top of it.
void take_record(GenerationOptions& options) {
  if (options.from.empty()) return;
  pipeline::RecordedJob recorded = pipeline::again(pipeline::recorded_in(options.from), options.asked);
  options.asked = std::move(recorded.asked);
  options.record = std::move(recorded.record);
}

void check_prompt(const GenerationOptions& options) {
  const pipeline::AskedJob& asked = options.asked;
  if (asked.named.contains("prompt") || asked.job.init_latent) return;
  throw Error(ErrorKind::usage,
              core::sentence("there is no prompt. Say what the picture shows: {} \"a serene lakeside at sunset\"",
                             options.source != nullptr ? "--prompt" : "lapis generate"));
}

/// Pictures that a model draws; each has as many steps, the last `second` of which are taken over the enlarged one.
struct Pass {
  int pictures = 1;
  int second = 0;
};

/// Where a request stands, by what `RenderRequest::stop` and `StepCallback` are called for.
struct StepWatch {
  Pass pass;
  bool begins = true;    ///< the next question comes before anything is loaded
  bool stepped = false;  ///< the next question follows a step
  bool steps_left = false;
};

/// `events`, with what ends a run after a step where a signal asks for it. While nothing but steps is under way the
/// first signal does no more than ask. A second model's pass follows the `first`.
Events stoppable(Events events, Pass first, Pass then) {
  const auto watch = std::make_shared<StepWatch>(StepWatch{first});
  events.stop = [watch] {
    if (!std::exchange(watch->stepped, false) && !std::exchange(watch->begins, false)) end_after_step(true);
    return is_asked_to_end();
  };
  events.step = [show = std::move(events.step), watch, then](int done, int all) {
    const bool ends = done == all;
    const int each = std::max(all / watch->pass.pictures, 1);
    const int left = (all - done) % each;
    end_after_step(left != 0 && left != watch->pass.second);
    *watch = {.pass = ends ? then : watch->pass, .begins = ends, .stepped = true, .steps_left = !ends};
    show(done, all);
  };
  events.picture = [show = std::move(events.picture), watch] {
    end_after_step(watch->steps_left);
    show();
  };
  return events;
}

/// Draws what was prepared, and writes it.
int draw(const GenerationOptions& options, const pipeline::RenderOutputs& outputs, const pipeline::Outlet& outlet,
         pipeline::PreparedRender prepared, pipeline::EngineDoor& door, Progress& progress) {
  const pipeline::RenderPlan& plan = prepared.plan;
  const int wanted = wanted_pictures(plan);
  const Pass first = {plan.stage ? plan.job.batch : wanted, pipeline::second_pass_steps(prepared.request, *plan.model)};
  const bool names_pictures = !outputs.latent || outputs.latent->path != "-";
  std::size_t written = 0;
  const auto on_picture = [&](const pipeline::DrawnPicture& picture) {
    const std::optional<pipeline::Written> file = pipeline::save(picture, outputs, outlet);
    if (!file) return;
    ++written;
    if (names_pictures) print_written(options.outputs, *file);
  };
  const Events events = stoppable(listener(progress), first, {wanted, 0});
  const pipeline::RenderResult result = pipeline::render(std::move(prepared), door, events, on_picture);
  if (result.end == RenderEnd::stopped) {
    progress.clear();
    print_warning(stop_text(outputs, written));
    end_by_asked_signal();
  }
  const std::optional<pipeline::Written> latents = pipeline::save(result, outputs, outlet);
  if (latents && pipeline::all_stay(outputs.pictures)) print_written(options.outputs, *latents);
  return 0;
}

}  // namespace

void declare_generation(CLI::App& app, GenerationOptions& options) {
  OptionGroup(app, "Output")
      .flag("--dry-run", options.dry_run, "Show what would be drawn, and on which way; draw nothing");
  declare_json(app, options.outputs.json, "One JSON line a picture on stdout");
}

int generate(GenerationOptions& options) {
  take_record(options);
  const Job& job = options.asked.job;
  options.outputs.overwrite = job.overwrite;
  options.outputs.skip_existing = job.skip_existing;
  const pipeline::Outlet outlet = outlet_of(options.outputs);
  check_prompt(options);
  pipeline::ModelCatalog catalog;
  pipeline::RenderPlan plan = pipeline::plan_render(render_asked(options, catalog), catalog, pipeline::random_number());
  pipeline::RenderOutputs outputs = pipeline::name_render_outputs(job, plan.job);
  check_stdout(options, outputs);
  pipeline::plan_render_outputs(outputs, plan, options.outputs, catalog);
  const std::vector<pipeline::Output> all = outputs.all();
  if (pipeline::all_stay(all)) {
    if (options.dry_run) print_plan(options, outputs, plan);
    if (!options.dry_run) report_skipped(options.outputs, all);
    return 0;
  }
  pipeline::EngineDoor door(pipeline::engine_options(plan.job));
  Progress progress;
  const Events events = listener(progress);
  pipeline::PreparedRender prepared =
      pipeline::prepare_render(std::move(plan), options.dry_run ? nullptr : &door, events);
  if (options.dry_run) {
    door.check();
    print_plan(options, outputs, prepared.plan);
    return 0;
  }
  report_skipped(options.outputs, all);
  return draw(options, outputs, outlet, std::move(prepared), door, progress);
}

}  // namespace lapis::cli
