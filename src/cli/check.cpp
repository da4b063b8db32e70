#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/crossing.hpp"
#include "cli/latent_options.hpp"
#include "cli/places.hpp"
#include "cli/terminal.hpp"
#include "cli/vae_folder.hpp"
#include "core/family/families.hpp"
#include "core/text/job_limits.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/space_match.hpp"
#include "core/family/spaces.hpp"
#include "core/text/suggest.hpp"
#include "core/latent/verdict.hpp"
#include "io/report/check_report.hpp"
#include "io/latent/latent_file.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/latent/untagged_latent.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis check a.safetensors tiny-sdxl\n"
    "  lapis check a.safetensors --to tiny-flux --vae tiny-sd15 --json\n"
    "  lapis check tiny-sd15 --vae path/to/vae\n"
    "  lapis check tiny-flux --size 520x512\n"
    "  lapis check old.npy --space sd15 --units vae --to tiny-sd15\n"
    "\n"
    "Answers from headers and model.json alone, in milliseconds, with the verdict (same, rescale, repack,\n"
    "re-encode, refuse), the reason, the route and its cost. Exit code 4 for a refusal.";

struct Options {
  std::vector<std::string> things;
  std::string to;
  std::string vae;
  std::string size;
  std::string space;
  std::string units;
  std::string format;
  std::string in_size;
  bool json = false;
};

/// What is sent: a latent, or what a model makes.
struct Sent {
  std::string label;  ///< for people
  std::string file;   ///< as a line to type has it
  Passport passport;
  core::Layout layout = core::Layout::plain;
  bool has_decoder = false;  ///< its own VAE's, at hand
};

/// Where it goes.
struct Receiver {
  std::string label;
  core::Destination destination;
  bool has_encoder = false;
  bool crosses = true;  ///< false: a decoder, which takes its own space and no other
};

/// The run of one `check`.
class Checking {
 public:
  explicit Checking(const Options& options) : options_(options) {}

  int run() {
    if (!options_.size.empty()) size_ = parse_size(options_.size, "--size");
    for (const std::string& word : options_.things) {
      if (names_file(word)) {
        latents_.push_back(word);
      } else {
        models_.push_back(checked_model(word));
      }
    }
    if (latents_.empty() && models_.empty() && options_.vae.empty()) {
      throw Error(ErrorKind::usage, "there is nothing to check. Name a latent or a model: lapis check a.safetensors");
    }
    if (!options_.to.empty()) target_ = named_receiver();
    find_vae();
    for (const Model& model : models_) check_config(model);
    if (latents_.empty()) {
      check_models();
    } else {
      for (const std::string& latent : latents_) check_latent(latent);
    }
    print();
    return core::Verdict::refuse == io::overall(checks_) ? exit_code(ErrorKind::incompatible) : 0;
  }

 private:
  Receiver receiver_of(const Model& model) const {
    Receiver receiver{model.name, destination_of(model), model.parts.contains("vae_encoder"), true};
    receiver.destination.reads_unfinished = true;
    return receiver;
  }

  Receiver receiver_of(const Space& space) const {
    Receiver receiver{core::space_name(space), {}, encoding_model(space).has_value(), true};
    receiver.destination.name = receiver.label;
    receiver.destination.space = space;
    return receiver;
  }

  /// What --to names: a space, or a model.
  Receiver named_receiver() const {
    if (core::find_space(options_.to.substr(0, options_.to.find(':'))) != nullptr) {
      return receiver_of(core::parse_space(options_.to));
    }
    named_space(options_.to, "--to");  // its message names spaces and models alike
    return receiver_of(checked_model(options_.to));
  }

  /// What --vae names: a model, or a folder in diffusers' form.
  void find_vae() {
    if (options_.vae.empty()) return;
    VaeFolder folder = read_vae_folder(options_.vae);
    vae_ = Receiver{"VAE of " + options_.vae, std::move(folder.destination), false, false};
    if (folder.finding) checks_.push_back(std::move(*folder.finding));
  }

  /// A VAE whose own config contradicts the model that it lies in.
  void check_config(const Model& model) {
    if (auto finding = contradiction(model)) checks_.push_back(std::move(*finding));
  }

  void judge(const Sent& sent, Receiver receiver) {
    receiver.destination.size = size_;
    const core::Means means = {sent.has_decoder, receiver.has_encoder, receiver.crosses};
    checks_.push_back({sent.label, receiver.label, core::space_name(sent.passport.space),
                       core::space_name(receiver.destination.space),
                       core::judge(sent.file, sent.passport, sent.layout, receiver.destination, means),
                       sent.passport.shape[0]});
  }

  void judge_all(const Sent& sent, const std::vector<Receiver>& receivers) {
    for (const Receiver& receiver : receivers) judge(sent, receiver);
    if (target_) judge(sent, *target_);
    if (vae_) judge(sent, *vae_);
  }

  io::LatentHints hints() const {
    io::LatentHints hints;
    if (!options_.space.empty()) hints.space = named_space(options_.space, "--space");
    if (!options_.units.empty()) hints.units = parse_units(options_.units, "--units");
    if (!options_.format.empty()) hints.format = io::find_latent_format(options_.format).format;
    if (!options_.in_size.empty()) hints.size = parse_size(options_.in_size, "--in-size");
    return hints;
  }

  void check_latent(const std::string& file) {
    const io::LatentSource source(file);
    const io::LatentHints facts = hints();
    if (!io::has_space(source.bytes(), source.name(), facts)) return refuse_unplaced(source, facts);
    const io::ForeignPassport read = io::read_passport(source.bytes(), source.name(), facts);
    std::vector<Receiver> receivers;
    for (const Model& model : models_) receivers.push_back(receiver_of(model));
    if (receivers.empty() && !target_ && !vae_) receivers.push_back(home_of(read.passport));
    judge_all({source.name(), source.name(), read.passport, read.layout, has_decoder(read.passport, receivers)},
              receivers);
  }

  /// Whether a latent's own VAE is at hand; false, unlooked for, where its pictures would not be asked for.
  bool has_decoder(const Passport& passport, const std::vector<Receiver>& receivers) const {
    const auto crosses = [&](const Receiver& receiver) {
      return size_ || !core::same_values(passport.space, receiver.destination.space);
    };
    const bool asked = std::any_of(receivers.begin(), receivers.end(), crosses) || (target_ && crosses(*target_)) ||
                       (vae_ && crosses(*vae_));
    if (!asked) return false;
    const std::optional<Model> own = own_model(passport, std::nullopt);
    return own && own->parts.contains("vae_decoder");
  }

  /// Where a latent comes from: the model of its lineage, digest or not, so that one that has changed is told.
  Receiver home_of(const Passport& passport) const {
    Passport anyone = passport;
    anyone.vae_sha256.clear();
    for (const Passport* asked : {&passport, static_cast<const Passport*>(&anyone)}) {
      if (const std::optional<Model> own = own_model(*asked, std::nullopt)) return receiver_of(*own);
    }
    Receiver receiver = receiver_of(passport.space);
    receiver.destination.reads_unfinished = true;
    receiver.destination.path = passport.path;
    return receiver;
  }

  void refuse_unplaced(const io::LatentSource& source, const io::LatentHints& facts) {
    io::Checked checked{source.name(), options_.to, "", "", {}};
    const io::UntaggedLatent untagged = io::read_untagged(source.bytes(), source.name(), facts, io::quick_look);
    checked.fits = untagged.fits;
    checked.ruling.reason = source.name() + " does not say its space. Its numbers " +
                            core::matches_text(untagged.fits, untagged.statistics.channels) + ".";
    checked.ruling.advice = "Nothing is done on a guess. Say which it is: --space ID:LINEAGE, or a model's name";
    checks_.push_back(std::move(checked));
  }

  /// Models without a latent: what the first makes goes to the others; where --to or --vae is said, what each makes
  /// goes there; one alone has its size checked.
  void check_models() {
    if (size_) {
      for (const Model& model : models_) check_size(model);
    }
    const bool aimed = target_ || vae_;
    const std::size_t senders = aimed ? models_.size() : std::min<std::size_t>(models_.size(), 1);
    for (std::size_t i = 0; i < senders; ++i) {
      const Model& model = models_[i];
      Sent sent{"latents of " + model.name, "LATENT", {}, core::Layout::plain, model.parts.contains("vae_decoder")};
      sent.passport.space = model.space;
      sent.passport.shape = {1, 0, 0, 0};
      sent.passport.vae_sha256 = io::vae_digest(model);
      std::vector<Receiver> receivers;
      for (std::size_t k = 1; !aimed && k < models_.size(); ++k) receivers.push_back(receiver_of(models_[k]));
      if (!aimed && models_.size() == 1 && !size_) receivers.push_back(receiver_of(model));
      judge_all(sent, receivers);
    }
  }

  /// Whether a model draws pictures of that size.
  void check_size(const Model& model) {
    const int multiple = core::find_family(model.family)->size_multiple;
    const std::string name = core::space_name(model.space);
    io::Checked checked{"pictures of " + options_.size, model.name, name, name, {}};
    auto problem = core::side_problem("width", size_->width, multiple);
    if (!problem) problem = core::side_problem("height", size_->height, multiple);
    checked.ruling.verdict = problem ? core::Verdict::refuse : core::Verdict::same;
    checked.ruling.reason = model.name + " lives in space " + name + " (" + core::space_numbers(model.space) +
                            ") and draws sides that are multiples of " + std::to_string(multiple) +
                            (problem ? ": " + *problem + "." : ".");
    if (problem) checked.ruling.advice = "Take a size that fits";
    checked.ruling.size = *size_;
    checks_.push_back(std::move(checked));
  }

  void print() const {
    if (options_.json) {
      print_json(io::check_report(checks_));
      return;
    }
    for (const io::Checked& checked : checks_) print_checked(checked);
  }

  static void print_checked(const io::Checked& checked) {
    const core::Ruling& ruling = checked.ruling;
    print_line(std::string(core::verdict_name(ruling.verdict)) + ": " + checked.latent +
               (checked.destination.empty() ? "" : " -> " + checked.destination));
    print_line("  " + ruling.reason);
    for (std::size_t i = 0; i < ruling.steps.size(); ++i) {
      print_line("  " + std::to_string(i + 1) + ". " + ruling.steps[i]);
    }
    if (ruling.decodes + ruling.encodes > 0) print_line("  cost: " + cost_text(checked));
    if (!ruling.advice.empty()) print_line("  " + ruling.advice);
  }

  static std::string cost_text(const io::Checked& checked) {
    const auto counted = [&](std::int64_t count, const char* what) {
      return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
    };
    const PixelSize size = checked.ruling.size;
    std::string text = counted(checked.pictures * checked.ruling.decodes, "decode") + " and " +
                       counted(checked.pictures * checked.ruling.encodes, "encode");
    if (size.width > 0) text += " of " + core::size_text(size) + " pixels";
    return text;
  }

  const Options& options_;
  std::optional<PixelSize> size_;
  std::vector<std::string> latents_;
  std::vector<Model> models_;
  std::optional<Receiver> target_;
  std::optional<Receiver> vae_;
  std::vector<io::Checked> checks_;
};

}  // namespace

Run declare_check(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("things", options->things, "Latents (- for stdin), and names or folders of models")
      ->type_name("LATENT|MODEL");
  app.add_option("--to", options->to, "Where it is to go: a model, or a space (ID, ID:LINEAGE)")
      ->type_name("MODEL|SPACE");
  app.add_option("--vae", options->vae, "What is to decode it: a model, or the folder of a diffusers VAE")
      ->type_name("MODEL|DIR");
  app.add_option("--size", options->size, "That the picture is to have")->type_name("WxH");
  app.add_flag("--json", options->json, "The same as one JSON document");
  const char* const group = "What the file does not say itself";
  app.add_option("--space", options->space, "Space of its numbers: ID, ID:LINEAGE or a model's name")
      ->type_name("SPACE")
      ->group(group);
  app.add_option("--units", options->units, "What its numbers are: model or vae")->type_name("NAME")->group(group);
  app.add_option("--form", options->format, "Whose convention it keeps; lapis list forms")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--in-size", options->in_size, "Of its picture: packed tokens do not tell")
      ->type_name("WxH")
      ->group(group);
  app.footer(footer);
  return [options] { return Checking(*options).run(); };
}

}  // namespace lapis::cli
