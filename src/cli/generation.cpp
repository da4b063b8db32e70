#include "cli/generation.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/route_text.hpp"
#include "cli/signals.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/stopwatch.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"
#include "pipeline/render.hpp"

namespace lapis::cli {
namespace {

/// What is asked of the pipeline, its latent read.
pipeline::RenderAsked render_asked(const GenerationOptions& options, pipeline::ModelCatalog& catalog) {
  pipeline::RenderAsked asked;
  asked.asked = options.asked;
  asked.pictures = options.draws();
  const Job& job = options.asked.job;
  std::shared_ptr<const io::LatentSource> source = options.source;
  if (job.init_latent) {
    const io::LatentHints hints = pipeline::latent_hints(job, catalog);
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
  const std::string strength = job.strength ? core::sentence(" at strength {}", core::number_text(*job.strength)) : "";
  print_line(core::sentence(
      "{}: {} of {} pixels, {} of {}{}, seed {}", model.name,
      core::count_text(static_cast<std::uint64_t>(job.batch), "picture"), core::size_text({job.width, job.height}),
      core::count_text(static_cast<std::uint64_t>(job.steps), "step"), job.sampler, strength, job.seed));
}

/// Where pictures and latents go.
class Outputs {
 public:
  Outputs(const GenerationOptions& options, const ResolvedJob& job) : options_(options) {
    check(job);
    choose(job);
  }

  /// Nothing is left to do: all of it is there.
  bool are_complete() const { return pictures_.empty() && !writes_latent_; }

  /// What is there and stays.
  const std::vector<std::string>& skipped() const { return skipped_; }

  /// What a signal has left of it.
  std::string stop_text() const {
    if (pictures_.empty()) return core::sentence("{} ended it: the latents are not written", asked_signal_name());
    const std::string latents = writes_latent_ ? "; the latents are not written" : "";
    return core::sentence("{} ended it: {} of {} finished{}", asked_signal_name(), written_,
                          core::count_text(pictures_.size(), "picture"), latents);
  }

  /// Leaves out of a plan what nobody is going to keep. Latents are those of all pictures.
  void narrow(pipeline::RenderPlan& plan) const {
    plan.pictures = !pictures_.empty();
    if (!writes_latent_) plan.wanted = pictures_;
  }

  void report_skipped(bool dry_run) const {
    for (int i = 0; draws() && i < batch_; ++i) {
      if (!writes(i)) cli::report_skipped(options_.outputs, names_->name(i), i, dry_run);
    }
    if (has_latent() && !writes_latent_) {
      cli::report_skipped(options_.outputs, options_.latent, std::nullopt, dry_run);
    }
  }

  void save(const pipeline::DrawnPicture& picture, const core::Stopwatch& start) {
    if (!writes(picture.index)) return;
    const core::Stopwatch writing;
    const std::string path = names_->name(picture.index);
    write_output(path, picture.png, options_.outputs.overwrite);
    ++written_;
    if (options_.outputs.json) {
      io::RunTimings timings = picture.timings;
      timings.png += writing.seconds();
      timings.total = start.seconds();
      print_json(io::picture_line({path, io::sha256(picture.png), picture.index, picture.device, picture.dtype,
                                   picture.fields, picture.size.width, picture.size.height, picture.history,
                                   spelled(picture.notes), spelled(picture.warnings), timings}));
    } else if (!names_->is_stdout() && options_.latent != "-") {
      print_line(path);
    }
    flush_output();
  }

  void save(const pipeline::RenderResult& result, const core::Stopwatch& start) const {
    if (!writes_latent_) return;
    const std::vector<std::byte> bytes = io::write_latent(result.latents, format_);
    write_output(options_.latent, bytes, options_.outputs.overwrite);
    if (draws() || options_.latent == "-") return;
    if (!options_.outputs.json) {
      print_line(options_.latent);
      return;
    }
    io::RunTimings timings = result.timings;
    timings.total = start.seconds();
    const PixelSize size = core::picture_size(result.latents.passport);
    print_json(
        io::latent_line({options_.latent, io::sha256(bytes), 0, result.device, result.dtype, result.fields, size.width,
                         size.height, result.history, spelled(result.notes), spelled(result.warnings), timings},
                        io::to_latent(result.latents)));
  }

 private:
  bool draws() const { return options_.draws(); }
  bool has_latent() const { return !options_.latent.empty(); }
  bool writes(int index) const { return std::ranges::find(pictures_, index) != pictures_.end(); }

  /// Everything that would fail only after the work is done is tried before it.
  void check(const ResolvedJob& job) {
    check_output(options_.outputs);
    const bool latents_on_stdout = options_.latent == "-";
    if (job.stop_at && !has_latent()) {
      throw Error(ErrorKind::usage, "--stop-at leaves a latent, and no picture. Say where to keep it: --latent FILE");
    }
    if (job.stop_at && draws()) {
      throw Error(ErrorKind::usage, "--stop-at leaves no picture to write. Leave -o out");
    }
    if (latents_on_stdout) check_latent_stdout();
    if (draws()) check_pictures(job);
    if (has_latent() && !latents_on_stdout) check_latent(job);
  }

  void check_pictures(const ResolvedJob& job) {
    names_.emplace(pipeline::in_folder(options_.output, default_output), job.seed, job.batch);
    if (names_->is_stdout()) {
      if (options_.latent == "-")
        throw Error(ErrorKind::usage, "--latent - and -o - both want standard output. Name a file with -o");
      check_stdout(options_.outputs, "a PNG", "lapis generate ... -o - > a.png");
    }
    for (int i = 0; !names_->is_stdout() && i < job.batch; ++i) check_picture(names_->name(i));
  }

  void check_picture(const std::string& path) const {
    if (!stays(options_.outputs, path)) io::check_writable(path, options_.outputs.overwrite);
    if (!has_latent() || !is_same_file(path, options_.latent)) return;
    throw Error(ErrorKind::usage, core::sentence("-o and --latent both name {}.", options_.latent),
                "Give pictures and latents files of their own");
  }

  void check_latent_stdout() const {
    if (options_.outputs.skip_existing) {
      throw Error(ErrorKind::usage, core::sentence("{skip_existing} is for files, and {latent} - is standard output. "
                                                   "Name a file with {latent}"));
    }
    if (stdout_is_terminal()) {
      throw Error(
          ErrorKind::usage,
          "--latent - would write numbers to the terminal. Pipe them: lapis generate ... --latent - > a.safetensors");
    }
    if (options_.outputs.json) {
      throw Error(ErrorKind::usage, "--json and --latent - both want standard output. Name a file with --latent");
    }
  }

  void check_latent(const ResolvedJob& job) {
    format_ = output_format("", options_.latent, "--latent");
    if (job.stop_at && format_ != io::LatentFormat::lapis) {
      throw Error(ErrorKind::usage,
                  core::sentence(
                      "{latent} {}: the form {} cannot hold a partially denoised latent, which {stop_at} leaves. Let "
                      "the name end in .safetensors",
                      options_.latent, io::latent_format_row(format_).name));
    }
    if (!stays(options_.outputs, options_.latent)) io::check_writable(options_.latent, options_.outputs.overwrite);
  }

  /// What is to be written, and what stays.
  void choose(const ResolvedJob& job) {
    batch_ = job.batch;
    for (int i = 0; draws() && i < batch_; ++i) {
      const std::string path = names_->name(i);
      if (stays(options_.outputs, path)) {
        skipped_.push_back(path);
      } else {
        pictures_.push_back(i);
      }
    }
    writes_latent_ = has_latent() && !stays(options_.outputs, options_.latent);
    if (has_latent() && !writes_latent_) skipped_.push_back(options_.latent);
  }

  const GenerationOptions& options_;
  std::optional<pipeline::OutputNames> names_;
  io::LatentFormat format_ = io::LatentFormat::lapis;  ///< of the latents
  int batch_ = 0;
  std::vector<int> pictures_;  ///< to write, counted from 0
  std::size_t written_ = 0;
  bool writes_latent_ = false;
  std::vector<std::string> skipped_;
};

void print_plan(const GenerationOptions& options, const Outputs& outputs, const pipeline::RenderPlan& plan) {
  if (options.outputs.json) {
    std::optional<std::vector<std::string>> skipped;
    if (options.outputs.skip_existing) skipped = outputs.skipped();
    print_json(io::plan_report(core::resolved_fields(plan.job, *plan.model), plan.routes(), skipped));
    return;
  }
  outputs.report_skipped(/*dry_run=*/true);
  if (outputs.are_complete()) return;
  if (plan.latent) print_route(plan.latent->handoff);
  print_sampling(plan.job, *plan.model);
  if (!plan.stage) return;
  print_route(plan.stage->handoff);
  print_sampling(plan.stage->job, *plan.stage->model);
}

/// What the job says of its outputs.
void take_job(GenerationOptions& options) {
  const Job& job = options.asked.job;
  options.output = job.output.value_or(default_output);
  options.names_output = job.output.has_value();
  options.latent = output_name(job.latent.value_or(""));
  options.outputs.overwrite = job.overwrite;
  options.outputs.skip_existing = job.skip_existing;
}

void check_prompt(const GenerationOptions& options) {
  const pipeline::AskedJob& asked = options.asked;
  if (asked.named.contains("prompt") || asked.job.init_latent) return;
  throw Error(ErrorKind::usage,
              core::sentence("there is no prompt. Say what the picture shows: {} \"a serene lakeside at sunset\"",
                             options.source != nullptr ? "--prompt" : "lapis generate"));
}

EngineOptions engine_options(const ResolvedJob& job) {
  EngineOptions options{job.device, job.dtype, job.threads};
  options.vae_dtype = job.vae_dtype.value_or("auto");
  return options;
}

/// Where a request stands, by what `RenderRequest::stop` and `StepCallback` are called for.
struct StepWatch {
  bool begins = true;    ///< the next question comes before anything is loaded
  bool stepped = false;  ///< the next question follows a step
  bool steps_left = false;
};

/// `events`, with what ends a run after a step where a signal asks for it. While nothing but steps is under way the
/// first signal does no more than ask; each of `pictures` has as many of them.
Events stoppable(Events events, int pictures) {
  const auto watch = std::make_shared<StepWatch>();
  events.stop = [watch] {
    if (!std::exchange(watch->stepped, false) && !std::exchange(watch->begins, false)) end_after_step(true);
    return is_asked_to_end();
  };
  events.step = [show = std::move(events.step), watch, pictures](int done, int all) {
    *watch = {.begins = done == all, .stepped = true, .steps_left = done < all};
    end_after_step(watch->steps_left && done % std::max(all / pictures, 1) != 0);
    show(done, all);
  };
  events.picture = [show = std::move(events.picture), watch] {
    end_after_step(watch->steps_left);
    show();
  };
  return events;
}

}  // namespace

void declare_generation(CLI::App& app, GenerationOptions& options) {
  app.add_flag("--dry-run", options.dry_run, "Show what would be drawn, and on which way; draw nothing")
      ->group("Output");
  declare_json(app, options.outputs.json, "One JSON line a picture on stdout");
}

int generate(GenerationOptions& options) {
  const core::Stopwatch start;
  take_job(options);
  check_prompt(options);
  pipeline::ModelCatalog catalog;
  pipeline::RenderPlan plan = pipeline::plan_render(render_asked(options, catalog), catalog, pipeline::random_number());
  Outputs outputs(options, plan.job);
  if (outputs.are_complete()) {
    if (options.dry_run) {
      print_plan(options, outputs, plan);
    } else {
      outputs.report_skipped(/*dry_run=*/false);
    }
    return 0;
  }
  outputs.narrow(plan);
  pipeline::EngineDoor door(engine_options(plan.job));
  Progress progress;
  const Events events = listener(progress);
  pipeline::PreparedRender prepared =
      pipeline::prepare_render(std::move(plan), options.dry_run ? nullptr : &door, events);
  if (options.dry_run) {
    door.check();
    print_plan(options, outputs, prepared.plan);
    return 0;
  }
  outputs.report_skipped(/*dry_run=*/false);
  const bool draws_all = prepared.plan.stage || prepared.plan.wanted.empty();
  const int pictures = draws_all ? prepared.plan.job.batch : static_cast<int>(prepared.plan.wanted.size());
  const pipeline::RenderResult result =
      pipeline::render(std::move(prepared), door, stoppable(events, pictures),
                       [&](const pipeline::DrawnPicture& picture) { outputs.save(picture, start); });
  if (result.end == RenderEnd::stopped) {
    progress.clear();
    print_warning(outputs.stop_text());
    end_by_asked_signal();
  }
  outputs.save(result, start);
  return 0;
}

}  // namespace lapis::cli
