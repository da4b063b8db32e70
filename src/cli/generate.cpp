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
#include "io/prompt_file.hpp"
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
    "\n"
    "Where nothing is said the model's own defaults hold (lapis inspect tiny-sd15 shows them); the\n"
    "picture goes to lapis-{seed}.png.";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What the command line says beside the job.
struct Options {
  Job job;
  std::string output = default_output;
  std::string latent;
  bool json = false;
  bool overwrite = false;
  bool quiet = false;
};

/// The run of one `generate`, from a parsed command line to files.
class Generation {
 public:
  explicit Generation(const Options& options) : options_(options) {}

  int run() {
    read_model();
    check_outputs();
    const auto verifying = std::chrono::steady_clock::now();
    io::verify_files(model_);
    timings_.read += seconds_since(verifying);
    io::PromptReader prompts(model_, job_, options_.job.embeddings);
    std::future<std::unique_ptr<Engine>> opening = open_engine({job_.device, job_.dtype, job_.threads});
    RenderRequest request = make_request(prompts);
    const auto waiting = std::chrono::steady_clock::now();
    // Never destroyed: the program leaves through _exit, and libtorch's own tear-down would cost 0.14 s.
    Engine* engine = opening.get().release();
    timings_.engine = seconds_since(waiting);
    engine->load(model_);
    Progress progress(options_.quiet);
    engine->render(
        request, [&](int done, int all) { progress.update(done, all); },
        [&](const Rendered& picture) {
          progress.clear();
          save(picture);
        });
    save_latents();
    return 0;
  }

 private:
  void read_model() {
    const auto reading = std::chrono::steady_clock::now();
    model_ = io::read_model(find_model(options_.job.model.empty() ? default_model : options_.job.model));
    core::check_model(model_);
    std::random_device device;
    const std::uint64_t random = (std::uint64_t{device()} << 32) | device();
    Job job = options_.job;
    if (job.image) source_.emplace(job, model_);
    job_ = core::resolve(job, model_, random);
    timings_.read = seconds_since(reading);
  }

  /// Everything that would fail only after the work is done is tried before it.
  void check_outputs() {
    names_.emplace(options_.output, job_.seed, job_.batch);
    if (names_->is_stdout()) {
      if (options_.json)
        throw Error(ErrorKind::usage, "--json and -o - both want standard output. Name a file with -o");
      if (stdout_is_terminal()) {
        throw Error(ErrorKind::usage,
                    "-o - would write a PNG to the terminal. Pipe it: lapis generate ... -o - > a.png");
      }
    }
    for (int i = 0; !names_->is_stdout() && i < job_.batch; ++i) {
      io::check_writable(names_->name(i), options_.overwrite);
    }
    if (!options_.latent.empty()) io::check_writable(options_.latent, options_.overwrite);
  }

  RenderRequest make_request(io::PromptReader& prompts) {
    const auto tokenizing = std::chrono::steady_clock::now();
    io::EncodedPrompts encoded = prompts.encode();
    RenderRequest request;
    request.job = job_;
    request.schedule = core::schedule_of(job_, model_);
    for (auto& [name, chunked] : encoded.prompt) request.prompt[name] = std::move(chunked.chunks);
    for (auto& [name, chunked] : encoded.negative) request.negative[name] = std::move(chunked.chunks);
    request.empty = std::move(encoded.empty);
    timings_.tokens = seconds_since(tokenizing);
    for (const std::string& warning : prompts.warnings()) warn(warning);
    if (job_.hires) request.hires_schedule = core::hires_schedule_of(job_, model_);
    if (source_) take_source(request);
    const core::Infotext infotext = core::infotext_of(job_, model_, 0, std::string("lapis ") + version);
    if (const auto warning = core::infotext_warning(infotext)) warn(*warning);
    return request;
  }

  void take_source(RenderRequest& request) {
    const auto reading = std::chrono::steady_clock::now();
    Fitted fitted = source_->fitted(job_, model_.space.downscale);
    request.image = std::move(fitted.image);
    request.mask = std::move(fitted.mask);
    for (const std::string& note : source_->notes()) print_note(note);
    timings_.read += seconds_since(reading);
  }

  void warn(const std::string& text) {
    if (std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end()) return;
    print_warning(text);
    warnings_.push_back(text);
  }

  void save(const Rendered& picture) {
    const auto saving = std::chrono::steady_clock::now();
    ResolvedJob own = job_;  // a picture's settings are those of a batch of one with its own seed
    own.seed = picture.seed;
    own.batch = 1;
    own.device = picture.device;
    own.dtype = picture.dtype;
    const io::Fields fields = core::resolved_fields(own, model_);
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
    if (!options_.latent.empty()) keep(picture.latent);
    if (options_.json) {
      print_line(io::picture_line({path, io::sha256(png), picture.index, picture.device, picture.dtype, fields,
                                   picture.image.width, picture.image.height,
                                   source_ ? source_->notes() : std::vector<std::string>(), warnings_, timings_}));
    } else if (!names_->is_stdout()) {
      print_line(path);
    }
    flush_output();
  }

  void keep(const Latent& latent) {
    if (latents_.values.empty()) {
      latents_ = latent;
      return;
    }
    latents_.shape[0] += latent.shape[0];
    latents_.values.insert(latents_.values.end(), latent.values.begin(), latent.values.end());
  }

  void save_latents() {
    if (options_.latent.empty()) return;
    Passport passport;
    passport.vae_sha256 = io::vae_digest(model_);
    const io::LatentDocument document = io::to_document(latents_, std::move(passport));
    io::write_file(options_.latent, io::latent_bytes(document), options_.overwrite);
  }

  const Options& options_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Model model_;
  ResolvedJob job_;
  std::optional<Source> source_;
  std::optional<OutputNames> names_;
  std::vector<std::string> warnings_;
  io::RunTimings timings_;
  Latent latents_;
};

/// Sets a field from its option's arguments: prompts may lie in files.
void set_from(Job& job, bool& stdin_taken, const core::JobField& field, const std::vector<std::string>& arguments) {
  const bool prompt = field.key == "prompt" || field.key == "negative_prompt";
  for (const std::string& argument : arguments) {
    if (prompt && io::reads_stdin(argument) && std::exchange(stdin_taken, true)) {
      throw Error(ErrorKind::usage, "prompt and negative prompt both want standard input. Put one into a file: @FILE");
    }
    core::set_field(job, field, prompt ? io::prompt_text(argument, core::long_flag(field)) : argument);
  }
}

/// One CLI11 option for each row of the job-field table.
void declare_fields(CLI::App& app, Job& job) {
  const auto stdin_taken = std::make_shared<bool>(false);
  for (const core::JobField& field : core::job_fields()) {
    const bool positional = field.key == "prompt";
    const std::string names = std::string(field.flags) + (positional ? ",prompt" : "");
    const bool list = std::holds_alternative<std::vector<std::string> Job::*>(field.member);
    app.add_option_function<std::vector<std::string>>(
           names,
           [&job, &field, stdin_taken](const std::vector<std::string>& texts) {
             set_from(job, *stdin_taken, field, texts);
           },
           std::string(field.help))
        ->type_name(std::string(field.value_name))
        ->group(std::string(core::group_title(field.group)))
        ->expected(1)
        ->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
  }
}

}  // namespace

Run declare_generate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  declare_fields(app, options->job);
  app.add_option("-o,--output", options->output, "PNG to write, - for stdout; {seed} and {index} are filled in")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--latent", options->latent, "Write the finished latents too (safetensors)")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", options->json, "One JSON line a picture on stdout")->group("Output");
  app.add_flag("--overwrite", options->overwrite, "Replace files that exist")->group("Output");
  app.add_flag("-q,--quiet", options->quiet, "No progress bar")->group("Output");
  app.footer(footer);
  return [options, prompt = app.get_option("--prompt")] {
    if (prompt->count() == 0)
      throw Error(ErrorKind::usage,
                  "there is no prompt. Say what the picture shows: "
                  "lapis generate \"a serene lakeside at sunset\"");
    return Generation(*options).run();
  };
}

}  // namespace lapis::cli
