#include "pipeline/check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/space_match.hpp"
#include "core/latent/verdict.hpp"
#include "core/text/job_limits.hpp"
#include "io/latent/latent_file.hpp"
#include "io/latent/untagged_latent.hpp"
#include "pipeline/transcode.hpp"
#include "pipeline/vae_folder.hpp"

namespace lapis::pipeline {
namespace {

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

/// One `check`, from what is asked to its findings.
class Checking {
 public:
  Checking(const CheckAsked& asked, ModelCatalog& catalog) : asked_(asked), catalog_(catalog), size_(asked.size) {}

  std::vector<io::Checked> run() {
    for (const std::string& name : asked_.models) models_.push_back(&catalog_.open(name));
    if (!asked_.to.empty()) target_ = named_receiver();
    find_vae();
    for (const Model* model : models_) check_config(*model);
    if (asked_.latents.empty()) {
      check_models();
    } else {
      for (const std::string& latent : asked_.latents) check_latent(latent);
    }
    return std::move(checks_);
  }

 private:
  Receiver receiver_of(const Model& model) const {
    Receiver receiver{model.name, destination_of(model), model.parts.contains("vae_encoder"), true};
    receiver.destination.reads_unfinished = true;
    return receiver;
  }

  Receiver receiver_of(const Space& space) const {
    Receiver receiver{core::space_name(space), {}, catalog_.encoder_of(space) != nullptr, true};
    receiver.destination.name = receiver.label;
    receiver.destination.space = space;
    return receiver;
  }

  /// What --to names: a space, or a model.
  Receiver named_receiver() const {
    if (core::find_space(asked_.to.substr(0, asked_.to.find(':'))) != nullptr) {
      return receiver_of(core::parse_space(asked_.to));
    }
    catalog_.space_named(asked_.to, "--to");  // its message names spaces and models alike
    return receiver_of(catalog_.open(asked_.to));
  }

  /// What --vae names: a model, or a folder in diffusers' form.
  void find_vae() {
    if (asked_.vae.empty()) return;
    VaeFolder folder = read_vae_folder(asked_.vae, catalog_);
    vae_ = Receiver{"VAE of " + asked_.vae, std::move(folder.destination), false, false};
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

  void check_latent(const std::string& file) {
    const io::LatentSource source(file);
    if (!io::has_space(source.bytes(), source.name(), asked_.hints)) return refuse_untagged(source);
    const io::ForeignPassport read = io::read_passport(source.bytes(), source.name(), asked_.hints);
    std::vector<Receiver> receivers;
    for (const Model* model : models_) receivers.push_back(receiver_of(*model));
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
    const Model* own = catalog_.decoder_of(passport);
    return own != nullptr && own->parts.contains("vae_decoder");
  }

  /// Where a latent comes from: the model of its lineage, digest or not, so that one that has changed is told.
  Receiver home_of(const Passport& passport) const {
    Passport anyone = passport;
    anyone.vae_sha256.clear();
    for (const Passport* asked : {&passport, static_cast<const Passport*>(&anyone)}) {
      if (const Model* own = catalog_.decoder_of(*asked)) return receiver_of(*own);
    }
    Receiver receiver = receiver_of(passport.space);
    receiver.destination.reads_unfinished = true;
    receiver.destination.path = passport.path;
    return receiver;
  }

  void refuse_untagged(const io::LatentSource& source) {
    io::Checked checked{source.name(), asked_.to, "", "", {}};
    const io::UntaggedLatent untagged = io::read_untagged(source.bytes(), source.name(), asked_.hints, io::quick_look);
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
      for (const Model* model : models_) check_size(*model);
    }
    const bool aimed = target_ || vae_;
    const std::size_t senders = aimed ? models_.size() : std::min<std::size_t>(models_.size(), 1);
    for (std::size_t i = 0; i < senders; ++i) {
      const Model& model = *models_[i];
      Sent sent{"latents of " + model.name, "LATENT", {}, core::Layout::plain, model.parts.contains("vae_decoder")};
      sent.passport.space = model.space;
      sent.passport.shape = {1, 0, 0, 0};
      sent.passport.vae_sha256 = io::vae_digest(model);
      std::vector<Receiver> receivers;
      for (std::size_t k = 1; !aimed && k < models_.size(); ++k) receivers.push_back(receiver_of(*models_[k]));
      if (!aimed && models_.size() == 1 && !size_) receivers.push_back(receiver_of(model));
      judge_all(sent, receivers);
    }
  }

  /// Whether a model draws pictures of that size.
  void check_size(const Model& model) {
    const int multiple = core::find_family(model.family)->size_multiple;
    const std::string name = core::space_name(model.space);
    io::Checked checked{"pictures of " + asked_.size_text, model.name, name, name, {}};
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

  const CheckAsked& asked_;
  ModelCatalog& catalog_;
  std::optional<PixelSize> size_;
  std::vector<const Model*> models_;
  std::optional<Receiver> target_;
  std::optional<Receiver> vae_;
  std::vector<io::Checked> checks_;
};

}  // namespace

std::vector<io::Checked> check(const CheckAsked& asked, ModelCatalog& catalog) {
  return Checking(asked, catalog).run();
}

}  // namespace lapis::pipeline
