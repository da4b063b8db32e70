#include "cli/generation.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "cli/background_digests.hpp"
#include "cli/clock.hpp"
#include "cli/crossing.hpp"
#include "cli/engine_library.hpp"
#include "cli/init_latent.hpp"
#include "cli/job_notes.hpp"
#include "cli/latent_output.hpp"
#include "cli/loras.hpp"
#include "cli/output.hpp"
#include "cli/output_names.hpp"
#include "cli/progress.hpp"
#include "cli/render_request.hpp"
#include "cli/second_stage.hpp"
#include "cli/source.hpp"
#include "cli/terminal.hpp"
#include "core/job/infotext.hpp"
#include "core/job/job_fields.hpp"
#include "core/text/job_limits.hpp"
#include "core/latent/latents.hpp"
#include "io/file/atomic_file.hpp"
#include "io/latent/latent_file.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_weights.hpp"
#include "io/picture/png.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "io/report/report.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/model/weight_digests.hpp"
#include "lapis/error.hpp"
#include "lapis/version.hpp"

namespace lapis::cli {
namespace {

constexpr const char* default_model = "tiny-sd15";

std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

/// From a parsed command line to files.
class Generation {
 public:
  explicit Generation(const GenerationOptions& options) : options_(options) {
    if (!options.latent.empty()) latents_.emplace(options.latent, options.overwrite);
  }

  int run() {
    read_model();
    if (!start_latent_ && !second_) {
      refuse_crossing_options(options_.handover, options_.hints, /*is_refined=*/options_.source != nullptr);
    }
    check_outputs();
    check_room(job_);
    note(job_notes(job_, model_));
    verify();
    io::PromptReader prompts(model_, job_, embeddings_);
    std::optional<io::PromptReader> second_prompts;
    if (second_) second_prompts.emplace(second_->model(), second_->job(), second_->embeddings());
    take_loras(prompts, second_prompts);
    std::future<std::unique_ptr<Engine>> opening;
    const EngineOptions place{job_.device, job_.dtype, job_.threads};
    if (!options_.dry_run) opening = open_engine(place);
    RenderRequest request = make_request(job_, model_, prompts);
    std::optional<RenderRequest> second_request;
    if (second_) second_request = make_request(second_->job(), second_->model(), *second_prompts);
    take_source(request);
    warn_of_infotext();
    if (options_.dry_run) {
      check_engine(place);
      print_plan();
      return 0;
    }
    const auto waiting = Clock::now();
    // Never destroyed: the program leaves through _exit, and libtorch's own tear-down would cost 0.14 s.
    Engine* engine = opening.get().release();
    timings_.engine = seconds_since(waiting);
    threads_ = engine->chosen().threads;
    note(widening_notes(model_, *engine));
    if (second_) note(widening_notes(second_->model(), *engine));
    const BackgroundDigests digests(model_);
    render(request, *engine);
    if (second_) render_second(*second_request, *engine);
    if (latents_) save_latents();
    return 0;
  }

 private:
  void read_model() {
    const auto reading = Clock::now();
    const AskedJob& asked = options_.asked;
    if (asked.job.init_latent) read_init_latent();
    std::string name = asked.job.model;
    if (name.empty() && start_latent_) name = start_latent_->model();
    model_ = checked_model(name.empty() ? default_model : name);
    Job job = asked.job;
    if (start_latent_) {
      start_latent_->plan(asked, model_, options_.handover);
      job = start_latent_->completed(asked, model_);
    } else if (job.image) {
      source_.emplace(job, model_, read_already());
    }
    embeddings_ = job.embeddings;
    loras_ = job.loras;
    job_ = core::resolve(job, model_, random_number(), start_latent_ ? &start_latent_->handover().arriving() : nullptr);
    if (job.then) {
      second_.emplace(job, job_, model_, options_.handover);
      job_.then = second_->name();
    }
    timings_.read = seconds_since(reading);
  }

  void read_init_latent() {
    const AskedJob& asked = options_.asked;
    const io::LatentHints hints = latent_hints(options_.hints, "init-");
    if (options_.source) {
      start_latent_.emplace(*options_.source, hints, asked);
      return;
    }
    start_latent_.emplace(latent_source(*asked.job.init_latent, "lapis generate --init-latent - < a.safetensors"), hints,
                          asked);
  }

  /// The picture to start from, where it was read to see what it is.
  std::optional<Source::Bytes> read_already() const {
    if (!options_.source) return std::nullopt;
    const std::span<const std::byte> bytes = options_.source->bytes();
    return Source::Bytes{options_.source->name(), {bytes.begin(), bytes.end()}};
  }

  void print_plan() const {
    std::vector<io::Checked> routes;
    if (start_latent_) routes.push_back(start_latent_->handover().route());
    if (second_) routes.push_back(second_->handover().route());
    if (options_.json) {
      print_json(io::plan_report(core::resolved_fields(job_, model_), routes));
      return;
    }
    if (start_latent_) start_latent_->handover().print();
    print_walk(job_, model_);
    if (!second_) return;
    second_->handover().print();
    print_walk(second_->job(), second_->model());
  }

  static void print_walk(const ResolvedJob& job, const Model& model) {
    print_line(model.name + ": " + core::count_text(static_cast<std::uint64_t>(job.batch), "picture") + " of " +
               core::size_text({job.width, job.height}) + " pixels, " +
               core::count_text(static_cast<std::uint64_t>(job.steps), "step") + " of " + job.sampler +
               (job.strength ? " at strength " + core::number_text(*job.strength) : "") + ", seed " +
               std::to_string(job.seed));
  }

  bool draws() const { return options_.draws(); }

  /// Everything that would fail only after the work is done is tried before it.
  void check_outputs() {
    if (job_.stop_at && !latents_) {
      throw Error(ErrorKind::usage, "--stop-at leaves a latent, and no picture. Say where to keep it: --latent FILE");
    }
    if (job_.stop_at && draws()) {
      throw Error(ErrorKind::usage, "--stop-at leaves no picture to write. Leave -o out");
    }
    if (latents_) latents_->check();
    const bool latents_on_stdout = latents_ && latents_->is_stdout();
    if (latents_on_stdout && options_.json) {
      throw Error(ErrorKind::usage, "--json and --latent - both want standard output. Name a file with --latent");
    }
    if (!draws()) return;
    names_.emplace(in_folder(options_.output, default_output), job_.seed, job_.batch);
    if (names_->is_stdout()) {
      if (latents_on_stdout)
        throw Error(ErrorKind::usage, "--latent - and -o - both want standard output. Name a file with -o");
      check_stdout(options_.json, "a PNG", "lapis generate ... -o - > a.png");
    }
    for (int i = 0; !names_->is_stdout() && i < job_.batch; ++i) {
      io::check_writable(names_->name(i), options_.overwrite);
      if (latents_ && is_same_file(names_->name(i), latents_->path())) {
        throw Error(ErrorKind::usage, "-o and --latent both name " + latents_->path() + ".",
                    "Give pictures and latents files of their own");
      }
    }
  }

  void verify() {
    const auto verifying = Clock::now();
    io::verify_files(model_);
    if (second_) io::verify_files(second_->model());
    if (start_latent_) start_latent_->handover().verify();
    timings_.read += seconds_since(verifying);
  }

  void take_loras(const io::PromptReader& prompts, const std::optional<io::PromptReader>& second_prompts) {
    const auto reading = Clock::now();
    LoraRequest request{loras_, prompts.loras(), options_.lora_folders, {}, ""};
    if (start_latent_) start_latent_->complete(request, options_.asked);
    for (const std::string& warning : add_loras(request, model_, job_)) warn(warning);
    if (second_ && second_->takes_loras()) {
      request.calls = second_prompts->loras();
      for (const std::string& warning : add_loras(request, second_->model(), second_->job())) warn(warning);
    }
    timings_.read += seconds_since(reading);
  }

  RenderRequest make_request(const ResolvedJob& job, const Model& model, io::PromptReader& prompts) {
    const auto tokenizing = Clock::now();
    RenderRequest request = render_request(job, model, prompts.encode());
    request.decodes = draws();
    timings_.tokens += seconds_since(tokenizing);
    for (const std::string& warning : prompts.warnings()) warn(warning);
    return request;
  }

  void take_source(RenderRequest& request) {
    if (second_) note(second_->notes());
    if (!source_) return;
    const auto reading = Clock::now();
    Fitted fitted = source_->fitted(job_, model_.space.downscale);
    request.image = std::move(fitted.image);
    request.mask = std::move(fitted.mask);
    note(source_->notes());
    timings_.read += seconds_since(reading);
  }

  void warn_of_infotext() {
    if (!draws()) return;
    const core::Infotext infotext = core::infotext_of(job_, model_, {}, std::string("lapis ") + version);
    if (const auto warning = core::infotext_warning(infotext)) warn(*warning);
  }

  void note(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) print_note(line);
    notes_.insert(notes_.end(), lines.begin(), lines.end());
  }

  void warn(const std::string& text) {
    if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) return;
    print_warning(text);
    warnings_.push_back(text);
  }

  /// The first model's walk; its pictures are the end, or what a second model goes on from.
  void render(RenderRequest& request, Engine& engine) {
    if (start_latent_) {
      start_latent_->carry(job_.vae_tiling, engine);
      request.latent = start_latent_->latent(job_);
      note(start_latent_->notes());
      before_ += start_latent_->handover().timings();
      history_ = start_latent_->history();
    }
    if (second_) request.decodes = second_->wants_pictures();
    if (request.decodes) {
      engine.load(model_);
    } else {
      engine.use(model_);
    }
    walk(request, engine, [&](const Rendered& picture) {
      if (second_) {
        second_->add(picture);
      } else {
        finish(picture);
      }
    });
  }

  void render_second(RenderRequest& request, Engine& engine) {
    request.latent = second_->carry(history_, engine);
    before_ += second_->timings();
    history_ = second_->history();
    if (request.decodes) {
      engine.load(second_->model());
    } else {
      engine.use(second_->model());
    }
    walk(request, engine, [&](const Rendered& picture) { finish(picture); });
  }

  void walk(const RenderRequest& request, Engine& engine, const PictureCallback& on_picture) const {
    Progress progress;
    engine.render(
        request, [&](int done, int all) { progress.update(done, all); },
        [&](const Rendered& picture) {
          progress.clear();
          on_picture(picture);
        });
  }

  void finish(Rendered picture) {
    picture.timings += std::exchange(before_, {});
    if (draws()) save(picture);
    if (latents_) keep(picture);
  }

  /// The settings of pictures that one device drew.
  io::Fields fields_of(ResolvedJob job, const Rendered& picture) const {
    job.device = picture.device;
    job.dtype = picture.dtype;
    job.threads = threads_;
    return core::resolved_fields(job, model_);
  }

  const Model* then() const { return second_ ? &second_->model() : nullptr; }

  void save(const Rendered& picture) {
    const auto saving = Clock::now();
    ResolvedJob own = job_;  // a picture's settings are those of a batch of one with its own seed
    own.seed = picture.seed;
    own.batch = 1;
    const io::Fields fields = fields_of(own, picture);
    const core::Infotext infotext =
        core::infotext_of(own, model_, io::weight_hashes(model_), std::string("lapis ") + version);
    const std::vector<std::byte> png = io::encode_png(
        picture.image,
        {io::utf8_text(core::write_infotext(infotext)), io::provenance(fields, model_, then(), history_)});
    const std::string path = names_->name(picture.index);
    write_output(path, png, options_.overwrite);
    timings_.png = seconds_since(saving);
    timings_.total = seconds_since(start_);
    timings_.parts = picture.timings;
    if (options_.json) {
      print_json(io::picture_line({path, io::sha256(png), picture.index, picture.device, picture.dtype, fields,
                                   picture.image.width, picture.image.height, history_, notes_, warnings_, timings_}));
    } else if (!names_->is_stdout() && !(latents_ && latents_->is_stdout())) {
      print_line(path);
    }
    flush_output();
  }

  void keep(const Rendered& picture) {
    latents_->add(picture.latent);
    latent_fields_ = fields_of(job_, picture);
    latent_device_ = picture.device;
    latent_dtype_ = picture.dtype;
    latent_timings_ += picture.timings;
  }

  void save_latents() {
    Passport passport;
    passport.vae_sha256 = io::vae_digest(second_ ? second_->model() : model_);
    passport.job = io::provenance(latent_fields_, model_, then());
    passport.history = history_;
    const std::string sha256 = latents_->write(passport);
    if (draws() || latents_->is_stdout()) return;
    if (!options_.json) {
      print_line(latents_->path());
      return;
    }
    timings_.total = seconds_since(start_);
    timings_.parts = latent_timings_;
    const Latent& latent = latents_->latent();
    print_json(io::latent_line(
        {latents_->path(), sha256, 0, latent_device_, latent_dtype_, latent_fields_,
         static_cast<int>(latent.shape[3]) * latent.space.downscale,
         static_cast<int>(latent.shape[2]) * latent.space.downscale, history_, notes_, warnings_, timings_},
        latent));
  }

  const GenerationOptions& options_;
  const Clock::time_point start_ = Clock::now();
  Model model_;
  ResolvedJob job_;
  std::vector<std::string> embeddings_;
  std::vector<std::string> loras_;
  std::optional<InitLatent> start_latent_;
  std::optional<Source> source_;
  std::optional<SecondStage> second_;
  std::optional<OutputNames> names_;
  std::optional<LatentOutput> latents_;
  std::vector<Crossing> history_;  ///< of what is drawn
  int threads_ = 0;                ///< that the engine runs on
  Timings before_;                 ///< what the next picture is charged with: everything before its own walk
  io::Fields latent_fields_;
  std::string latent_device_;
  std::string latent_dtype_;
  Timings latent_timings_;
  std::vector<std::string> notes_;
  std::vector<std::string> warnings_;
  io::RunTimings timings_;
};

}  // namespace

void declare_generation(CLI::App& app, GenerationOptions& options) {
  const char* const crossing = "Crossing into the model's space";
  app.add_flag_callback(
         "--no-convert", [&options] { options.handover.may_convert = false; },
         "Refuse what would take a decode and an encode")
      ->group(crossing);
  app.add_flag("--measure", options.handover.measure, "Decode what was encoded, and record the PSNR")->group(crossing);
  app.add_flag("--compensate", options.handover.compensate,
               "Shift colours against the VAE's drift, where that is nearer")
      ->group(crossing);
  declare_hints(app, options.hints, "init-");
  app.add_option("--lora-dir", options.lora_folders, "Folder where LoRAs are found by name; repeat")
      ->type_name("DIR")
      ->group(std::string(core::group_title(core::FieldGroup::prompt)))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  const char* const output = "Output";
  app.add_option_function<std::string>(
         "-o,--output",
         [&options](const std::string& name) {
           options.output = name;
           options.names_output = true;
         },
         "PNG to write, - for stdout; {seed} and {index} are filled in")
      ->type_name("FILE")
      ->group(output);
  app.add_option("--latent", options.latent, "Write the latents; no picture then unless -o asks for it; -: stdout")
      ->type_name("FILE")
      ->group(output);
  app.add_flag("--dry-run", options.dry_run, "Show what would be drawn, and on which way; draw nothing")->group(output);
  app.add_flag("--json", options.json, "One JSON line a picture on stdout")->group(output);
  app.add_flag("--overwrite", options.overwrite, "Replace files that exist")->group(output);
}

int generate(const GenerationOptions& options) {
  const AskedJob& asked = options.asked;
  if (!asked.named.contains("prompt") && !asked.job.init_latent) {
    throw Error(ErrorKind::usage,
                "there is no prompt. Say what the picture shows: --prompt \"a serene lakeside at sunset\"");
  }
  return Generation(options).run();
}

}  // namespace lapis::cli
