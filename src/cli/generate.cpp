#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/engine_library.hpp"
#include "cli/init_latent.hpp"
#include "cli/job_options.hpp"
#include "cli/latent_output.hpp"
#include "cli/output_names.hpp"
#include "cli/places.hpp"
#include "cli/progress.hpp"
#include "cli/source.hpp"
#include "cli/terminal.hpp"
#include "core/families.hpp"
#include "core/infotext.hpp"
#include "core/job_fields.hpp"
#include "core/model_check.hpp"
#include "core/schedule_table.hpp"
#include "io/atomic_file.hpp"
#include "io/latent_file.hpp"
#include "io/model_folder.hpp"
#include "io/png.hpp"
#include "io/prompt_reader.hpp"
#include "io/report.hpp"
#include "io/sha256.hpp"
#include "lapis/error.hpp"
#include "lapis/version.hpp"

namespace lapis::cli {
namespace {

constexpr const char* default_model = "tiny-sd15";
constexpr const char* default_output = "lapis-{seed}.png";

constexpr const char* footer =
    "Examples:\n"
    "  lapis generate \"a serene lakeside at sunset\"\n"
    "  lapis generate \"a red house, snow field at night\" -s 7 -b 4 -o \"house-{seed}.png\"\n"
    "  lapis generate \"a blue boat on the left, lake at dawn\" -W 384 -H 256 --steps 30 --guidance 4\n"
    "  lapis generate \"a yellow star on a purple background\" -o - > star.png\n"
    "  lapis generate \"a red house in snow\" -i house-7.png --strength 0.6\n"
    "  lapis generate \"a blue boat\" -i lake.jpg --mask where.png --strength 1 -W 384\n"
    "  lapis generate \"a red house in snow\" --stop-at 12 --latent part.safetensors\n"
    "  lapis generate --init-latent part.safetensors\n"
    "\n"
    "Where nothing is said the model's own defaults hold (lapis inspect tiny-sd15 shows them); the\n"
    "picture goes to lapis-{seed}.png.";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What the command line says.
struct Options {
  AskedJob asked;
  std::string output = default_output;
  std::string latent;
  bool draws = true;  ///< pictures are wanted, not only latents
  bool json = false;
  bool overwrite = false;
  bool quiet = false;
};

void add(Timings& sum, const Timings& more) {
  sum.load += more.load;
  sum.text_encoder += more.text_encoder;
  sum.vae_encoder += more.vae_encoder;
  sum.denoiser += more.denoiser;
  sum.vae_decoder += more.vae_decoder;
  sum.sampler += more.sampler;
  sum.pixels += more.pixels;
}

/// The run of one `generate`, from a parsed command line to files.
class Generation {
 public:
  explicit Generation(const Options& options) : options_(options) {
    if (!options.latent.empty()) latents_.emplace(options.latent, options.overwrite);
  }

  int run() {
    read_model();
    check_outputs();
    const auto verifying = std::chrono::steady_clock::now();
    io::verify_files(model_);
    timings_.read += seconds_since(verifying);
    io::PromptReader prompts(model_, job_, embeddings_);
    std::future<std::unique_ptr<Engine>> opening = open_engine({job_.device, job_.dtype, job_.threads});
    RenderRequest request = make_request(prompts);
    const auto waiting = std::chrono::steady_clock::now();
    // Never destroyed: the program leaves through _exit, and libtorch's own tear-down would cost 0.14 s.
    Engine* engine = opening.get().release();
    timings_.engine = seconds_since(waiting);
    if (options_.draws) {
      engine->load(model_);
    } else {
      engine->use(model_);
    }
    Progress progress(options_.quiet);
    engine->render(
        request, [&](int done, int all) { progress.update(done, all); },
        [&](const Rendered& picture) {
          progress.clear();
          if (options_.draws) save(picture);
          if (latents_) keep(picture);
        });
    if (latents_) save_latents();
    return 0;
  }

 private:
  void read_model() {
    const auto reading = std::chrono::steady_clock::now();
    const AskedJob& asked = options_.asked;
    if (asked.job.init_latent) start_latent_.emplace(asked);
    std::string name = asked.job.model;
    if (name.empty() && start_latent_) name = start_latent_->model();
    model_ = io::read_model(find_model(name.empty() ? default_model : name));
    core::check_model(model_);
    std::random_device device;
    const std::uint64_t random = (std::uint64_t{device()} << 32) | device();
    Job job = asked.job;
    if (start_latent_) {
      start_latent_->check_space(model_);
      job = start_latent_->completed(asked, model_);
    } else if (job.image) {
      source_.emplace(job, model_);
    }
    embeddings_ = job.embeddings;
    job_ = core::resolve(job, model_, random, start_latent_ ? &start_latent_->passport() : nullptr);
    timings_.read = seconds_since(reading);
  }

  /// Everything that would fail only after the work is done is tried before it.
  void check_outputs() {
    if (job_.stop_at && !latents_) {
      throw Error(ErrorKind::usage, "--stop-at leaves a latent, and no picture. Say where to keep it: --latent FILE");
    }
    if (job_.stop_at && options_.draws) {
      throw Error(ErrorKind::usage, "--stop-at leaves no picture to write. Leave -o out");
    }
    if (latents_) latents_->check();
    const bool latents_on_stdout = latents_ && latents_->is_stdout();
    if (latents_on_stdout && options_.json) {
      throw Error(ErrorKind::usage, "--json and --latent - both want standard output. Name a file with --latent");
    }
    if (!options_.draws) return;
    names_.emplace(options_.output, job_.seed, job_.batch);
    if (names_->is_stdout()) {
      if (options_.json)
        throw Error(ErrorKind::usage, "--json and -o - both want standard output. Name a file with -o");
      if (latents_on_stdout)
        throw Error(ErrorKind::usage, "--latent - and -o - both want standard output. Name a file with -o");
      if (stdout_is_terminal()) {
        throw Error(ErrorKind::usage,
                    "-o - would write a PNG to the terminal. Pipe it: lapis generate ... -o - > a.png");
      }
    }
    for (int i = 0; !names_->is_stdout() && i < job_.batch; ++i) {
      io::check_writable(names_->name(i), options_.overwrite);
    }
  }

  RenderRequest make_request(io::PromptReader& prompts) {
    const auto tokenizing = std::chrono::steady_clock::now();
    io::EncodedPrompts encoded = prompts.encode();
    RenderRequest request;
    request.job = job_;
    request.schedule = core::schedule_of(job_, model_);
    request.decodes = options_.draws;
    for (auto& [name, chunked] : encoded.prompt) request.prompt[name] = std::move(chunked.chunks);
    for (auto& [name, chunked] : encoded.negative) request.negative[name] = std::move(chunked.chunks);
    request.empty = std::move(encoded.empty);
    timings_.tokens = seconds_since(tokenizing);
    for (const std::string& warning : prompts.warnings()) warn(warning);
    if (job_.hires) request.hires_schedule = core::hires_schedule_of(job_, model_);
    if (source_) take_source(request);
    if (start_latent_) {
      request.latent = start_latent_->latent(job_);
      note(start_latent_->notes());
    }
    if (!options_.draws) return request;
    const core::Infotext infotext = core::infotext_of(job_, model_, 0, std::string("lapis ") + version);
    if (const auto warning = core::infotext_warning(infotext)) warn(*warning);
    return request;
  }

  void take_source(RenderRequest& request) {
    const auto reading = std::chrono::steady_clock::now();
    Fitted fitted = source_->fitted(job_, model_.space.downscale);
    request.image = std::move(fitted.image);
    request.mask = std::move(fitted.mask);
    note(source_->notes());
    timings_.read += seconds_since(reading);
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

  /// The settings of pictures that one device drew.
  io::Fields fields_of(ResolvedJob job, const Rendered& picture) const {
    job.device = picture.device;
    job.dtype = picture.dtype;
    return core::resolved_fields(job, model_);
  }

  void save(const Rendered& picture) {
    const auto saving = std::chrono::steady_clock::now();
    ResolvedJob own = job_;  // a picture's settings are those of a batch of one with its own seed
    own.seed = picture.seed;
    own.batch = 1;
    const io::Fields fields = fields_of(own, picture);
    const core::Infotext infotext = core::infotext_of(own, model_, 0, std::string("lapis ") + version);
    const std::vector<std::byte> png =
        io::encode_png(picture.image, {core::write_infotext(infotext), io::provenance(fields, model_)});
    const std::string path = names_->name(picture.index);
    if (names_->is_stdout()) {
      print_bytes(png);
    } else {
      io::write_file(path, png, options_.overwrite);
    }
    timings_.png = seconds_since(saving);
    timings_.total = seconds_since(start_);
    timings_.parts = picture.timings;
    if (options_.json) {
      print_line(io::picture_line({path, io::sha256(png), picture.index, picture.device, picture.dtype, fields,
                                   picture.image.width, picture.image.height, notes_, warnings_, timings_}));
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
    add(latent_timings_, picture.timings);
  }

  void save_latents() {
    Passport passport;
    passport.vae_sha256 = io::vae_digest(model_);
    passport.job = io::provenance(latent_fields_, model_);
    if (start_latent_) passport.history = start_latent_->passport().history;
    const std::string sha256 = latents_->write(passport);
    if (options_.draws || latents_->is_stdout()) return;
    if (!options_.json) {
      print_line(latents_->path());
      return;
    }
    timings_.total = seconds_since(start_);
    timings_.parts = latent_timings_;
    const Latent& latent = latents_->latent();
    print_line(
        io::latent_line({latents_->path(), sha256, 0, latent_device_, latent_dtype_, latent_fields_,
                         static_cast<int>(latent.shape[3]) * latent.space.downscale,
                         static_cast<int>(latent.shape[2]) * latent.space.downscale, notes_, warnings_, timings_},
                        latent));
  }

  const Options& options_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Model model_;
  ResolvedJob job_;
  std::vector<std::string> embeddings_;
  std::optional<InitLatent> start_latent_;
  std::optional<Source> source_;
  std::optional<OutputNames> names_;
  std::optional<LatentOutput> latents_;
  io::Fields latent_fields_;
  std::string latent_device_;
  std::string latent_dtype_;
  Timings latent_timings_;
  std::vector<std::string> notes_;
  std::vector<std::string> warnings_;
  io::RunTimings timings_;
};

}  // namespace

Run declare_generate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  declare_job_options(app, options->asked);
  const CLI::Option* output =
      app.add_option("-o,--output", options->output, "PNG to write, - for stdout; {seed} and {index} are filled in")
          ->type_name("FILE")
          ->group("Output");
  app.add_option("--latent", options->latent, "Write the latents; no picture then unless -o asks for it; -: stdout")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", options->json, "One JSON line a picture on stdout")->group("Output");
  app.add_flag("--overwrite", options->overwrite, "Replace files that exist")->group("Output");
  app.add_flag("-q,--quiet", options->quiet, "No progress bar")->group("Output");
  app.footer(footer);
  return [options, output] {
    const AskedJob& asked = options->asked;
    if (!asked.named.contains("prompt") && !asked.job.init_latent)
      throw Error(ErrorKind::usage,
                  "there is no prompt. Say what the picture shows: "
                  "lapis generate \"a serene lakeside at sunset\"");
    options->draws = output->count() > 0 || options->latent.empty();
    return Generation(*options).run();
  };
}

}  // namespace lapis::cli
