#include "pipeline/check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/plan_route.hpp"
#include "core/latent/space_match.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_file.hpp"
#include "io/latent/untagged_latent.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/route_target.hpp"
#include "pipeline/vae_folder.hpp"

namespace lapis::pipeline {
namespace {

/// Where a route starts: a latent, or what a model makes.
struct CheckSource {
  std::string label;  ///< for people
  std::string file;   ///< as a line to type has it
  Passport passport;
  core::Layout layout = core::Layout::plain;
  bool has_decoder = false;  ///< its own VAE's, at hand
};

/// Where a route ends.
struct CheckTarget {
  std::string label;
  core::RouteTarget to;
  bool has_encoder = false;
  bool transcodes = true;  ///< false: a decoder, which takes its own space and no other
};

/// One `check`, from what is asked to its findings.
class Checking {
 public:
  Checking(const CheckAsked& asked, ModelCatalog& catalog) : asked_(asked), catalog_(catalog), size_(asked.size) {}

  std::vector<io::Checked> run() {
    for (const std::string& name : asked_.models) models_.push_back(&catalog_.open(name));
    if (!asked_.to.empty()) target_ = named_target();
    find_vae();
    for (const Model* model : models_) check_config(*model);
    for (const std::string& latent : asked_.latents) check_latent(latent);
    if (asked_.passport) check_passport(asked_.passport->name, {asked_.passport->passport});
    if (asked_.latents.empty() && !asked_.passport) check_models();
    return std::move(checks_);
  }

 private:
  CheckTarget check_target(const Model& model) const {
    CheckTarget target{model.name, route_target(model), model.parts.contains("vae_encoder"), true};
    target.to.resumes = true;
    return target;
  }

  CheckTarget check_target(const Space& space) const {
    CheckTarget target{core::space_name(space), {}, catalog_.encoder_of(space) != nullptr, true};
    target.to.name = target.label;
    target.to.space = space;
    return target;
  }

  /// What --to names: a space, or a model.
  CheckTarget named_target() const {
    if (core::find_space(asked_.to.substr(0, asked_.to.find(':'))) != nullptr) {
      return check_target(core::parse_space(asked_.to));
    }
    catalog_.space_named(asked_.to, core::field_name("to"));  // its message names spaces and models alike
    return check_target(catalog_.open(asked_.to));
  }

  /// What --vae names: a model, or a folder in diffusers' form.
  void find_vae() {
    if (asked_.vae.empty()) return;
    VaeFolder folder = read_vae_folder(asked_.vae, catalog_);
    vae_ = CheckTarget{core::sentence("VAE of {}", asked_.vae), std::move(folder.target), false, false};
    if (folder.finding) checks_.push_back(std::move(*folder.finding));
  }

  /// A VAE whose own config contradicts the model that it lies in.
  void check_config(const Model& model) {
    if (auto finding = contradiction(model)) checks_.push_back(std::move(*finding));
  }

  void plan(const CheckSource& source, CheckTarget target) {
    target.to.size = size_;
    const core::Available available = {source.has_decoder, target.has_encoder};
    checks_.push_back({source.label, target.label, core::space_name(source.passport.space),
                       core::space_name(target.to.space),
                       core::plan_route({source.file, source.passport, source.layout}, target.to, available,
                                        {.may_convert = target.transcodes}),
                       source.passport.shape[0]});
  }

  void plan_all(const CheckSource& source, const std::vector<CheckTarget>& targets) {
    for (const CheckTarget& target : targets) plan(source, target);
    if (target_) plan(source, *target_);
    if (vae_) plan(source, *vae_);
  }

  void check_latent(const std::string& file) {
    const io::LatentSource source(file);
    if (!io::has_space(source.bytes(), source.name(), asked_.hints)) return refuse_untagged(source);
    check_passport(source.name(), io::read_passport(source.bytes(), source.name(), asked_.hints));
  }

  void check_passport(const std::string& name, const io::ForeignPassport& read) {
    std::vector<CheckTarget> targets;
    for (const Model* model : models_) targets.push_back(check_target(*model));
    if (targets.empty() && !target_ && !vae_) {
      std::optional<CheckTarget> home = home_of(read.passport);
      if (!home) return refuse_homeless(name, read);
      targets.push_back(std::move(*home));
    }
    plan_all({name, name, read.passport, read.layout, has_decoder(read.passport, targets)}, targets);
  }

  /// Whether a latent's own VAE is at hand; false, unlooked for, where its pictures would not be asked for.
  bool has_decoder(const Passport& passport, const std::vector<CheckTarget>& targets) const {
    const auto transcodes = [&](const CheckTarget& target) {
      return size_ || !core::same_values(passport.space, target.to.space);
    };
    const bool asked = std::any_of(targets.begin(), targets.end(), transcodes) || (target_ && transcodes(*target_)) ||
                       (vae_ && transcodes(*vae_));
    if (!asked) return false;
    const Model* own = catalog_.decoder_of(passport);
    return own != nullptr && own->parts.contains("vae_decoder");
  }

  /// Where a latent comes from: the model of its lineage, digest or not, so that one that has changed is told; none
  /// where no known model has its VAE.
  std::optional<CheckTarget> home_of(const Passport& passport) const {
    Passport anyone = passport;
    anyone.vae_sha256.clear();
    for (const Passport* asked : {&passport, static_cast<const Passport*>(&anyone)}) {
      if (const Model* own = catalog_.decoder_of(*asked)) return check_target(*own);
    }
    return std::nullopt;
  }

  void refuse_homeless(const std::string& name, const io::ForeignPassport& read) {
    const Passport& passport = read.passport;
    const std::string space = core::space_name(passport.space);
    io::Checked checked{name, "", space, "", {}, passport.shape[0]};
    checked.route.refused = true;
    checked.route.size = core::picture_size(passport);
    checked.route.reason = core::sentence("{} is in space {} ({}), and no known model has its VAE.", name, space,
                                          core::space_numbers(passport.space));
    checked.route.advice = core::sentence("Name the model or folder that it comes from: {lapis check} {} MODEL", name);
    checks_.push_back(std::move(checked));
  }

  void refuse_untagged(const io::LatentSource& source) {
    io::Checked checked{source.name(), asked_.to, "", "", {}};
    const io::UntaggedLatent untagged = io::read_untagged(source.bytes(), source.name(), asked_.hints, io::quick_look);
    checked.fits = untagged.fits;
    checked.route.refused = true;
    checked.route.reason = core::sentence("{} does not say its space. Its numbers {}.", source.name(),
                                          core::matches_text(untagged.fits, untagged.statistics.channels));
    checked.route.advice =
        core::sentence("Nothing is done on a guess. Say which it is: {space} ID:LINEAGE, or a model's name");
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
      CheckSource source{core::sentence("latents of {}", model.name),
                         "LATENT",
                         {},
                         core::Layout::plain,
                         model.parts.contains("vae_decoder")};
      source.passport.space = model.space;
      source.passport.shape = {1, 0, 0, 0};
      source.passport.vae_sha256 = io::vae_digest(model);
      std::vector<CheckTarget> targets;
      for (std::size_t k = 1; !aimed && k < models_.size(); ++k) targets.push_back(check_target(*models_[k]));
      if (!aimed && models_.size() == 1 && !size_) targets.push_back(check_target(model));
      plan_all(source, targets);
    }
  }

  /// Whether a model draws pictures of that size.
  void check_size(const Model& model) {
    const int multiple = core::find_family(model.family)->size_multiple;
    const std::string name = core::space_name(model.space);
    io::Checked checked{core::sentence("pictures of {}", asked_.size_text), model.name, name, name, {}};
    auto problem = core::side_problem("width", size_->width, multiple);
    if (!problem) problem = core::side_problem("height", size_->height, multiple);
    checked.route.refused = problem.has_value();
    checked.route.reason =
        core::sentence("{} lives in space {} ({}) and draws sides that are multiples of {}{}.", model.name, name,
                       core::space_numbers(model.space), multiple, problem ? core::sentence(": {}", *problem) : "");
    if (problem) checked.route.advice = "Take a size that fits";
    checked.route.size = *size_;
    checks_.push_back(std::move(checked));
  }

  const CheckAsked& asked_;
  ModelCatalog& catalog_;
  std::optional<PixelSize> size_;
  std::vector<const Model*> models_;
  std::optional<CheckTarget> target_;
  std::optional<CheckTarget> vae_;
  std::vector<io::Checked> checks_;
};

std::string cost_text(const io::Checked& checked) {
  const auto counted = [&](std::int64_t each, const char* what) {
    return core::count_text(static_cast<std::uint64_t>(checked.pictures * each), what);
  };
  const core::RouteCost cost = core::cost(checked.route);
  const PixelSize size = checked.route.size;
  const std::string pixels = size.width > 0 ? core::sentence(" of {} pixels", core::size_text(size)) : "";
  return core::sentence("{} and {}{}", counted(cost.decodes, "decode"), counted(cost.encodes, "encode"), pixels);
}

}  // namespace

CheckAsked check_asked(const std::vector<std::string>& things, const std::string& vae) {
  if (things.empty() && vae.empty()) {
    throw Error(ErrorKind::usage, core::sentence("there is nothing to check. Name a latent or a model: {lapis check} "
                                                 "a.safetensors"));
  }
  CheckAsked asked;
  asked.vae = vae;
  for (const std::string& word : things) (names_file(word) ? asked.latents : asked.models).push_back(word);
  return asked;
}

std::vector<io::Checked> check(const CheckAsked& asked, ModelCatalog& catalog) {
  return Checking(asked, catalog).run();
}

std::vector<std::string> finding_lines(const io::Checked& checked) {
  const core::Route& route = checked.route;
  const std::string destination = checked.destination.empty() ? "" : core::sentence(" -> {}", checked.destination);
  std::vector<std::string> lines = {
      core::sentence("{}: {}{}", core::verdict_name(core::verdict(route)), checked.latent, destination),
      "  " + route.reason};
  const std::vector<std::string> steps = core::step_texts(route);
  for (std::size_t i = 0; i < steps.size(); ++i) lines.push_back(core::sentence("  {}. {}", i + 1, steps[i]));
  if (core::cost(route) != core::RouteCost{}) lines.push_back(core::sentence("  cost: {}", cost_text(checked)));
  if (!route.advice.empty()) lines.push_back("  " + route.advice);
  return lines;
}

}  // namespace lapis::pipeline
