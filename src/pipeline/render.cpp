#include "pipeline/render.hpp"

#include <algorithm>
#include <utility>

#include "core/job/infotext.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/weight_digests.hpp"
#include "io/picture/png.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "lapis/version.hpp"
#include "pipeline/background_digests.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/job_notes.hpp"
#include "pipeline/loras.hpp"
#include "pipeline/render_request.hpp"

namespace lapis::pipeline {
namespace {

constexpr const char* default_model = "tiny-sd15";

std::string program() { return std::string("lapis ") + version; }

/// Notes and warnings on their way to a listener, kept for the records of pictures; a warning is given once.
class Told {
 public:
  Told(const Events& events, std::vector<std::string>& notes, std::vector<std::string>& warnings)
      : events_(events), notes_(notes), warnings_(warnings) {}

  void note(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) tell(events_.note, line);
    notes_.insert(notes_.end(), lines.begin(), lines.end());
  }

  void warn(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      if (std::find(warnings_.begin(), warnings_.end(), line) != warnings_.end()) continue;
      tell(events_.warning, line);
      warnings_.push_back(line);
    }
  }

 private:
  const Events& events_;
  std::vector<std::string>& notes_;
  std::vector<std::string>& warnings_;
};

void verify(const RenderPlan& plan) {
  io::verify_files(*plan.model);
  if (plan.stage) io::verify_files(plan.stage->model());
  if (plan.latent) plan.latent->handoff().verify();
}

void take_loras(PreparedRender& prepared, const io::PromptReader& prompts, const io::PromptReader* stage_prompts,
                Told& told) {
  RenderPlan& plan = prepared.plan;
  LoraRequest request{plan.loras, prompts.loras(), plan.lora_folders, {}, ""};
  if (plan.latent) plan.latent->complete(request, plan.asked);
  told.warn(add_loras(request, prepared.model, prepared.attachments, plan.job));
  if (stage_prompts == nullptr || !plan.stage->takes_loras()) return;
  request.calls = stage_prompts->loras();
  told.warn(add_loras(request, plan.stage->model(), plan.stage->attachments(), plan.stage->job()));
}

/// The work of one `render`, from a prepared request to its pictures.
class Rendering {
 public:
  Rendering(PreparedRender prepared, EngineDoor& door, const Events& events, const DrawnCallback& on_picture)
      : prepared_(std::move(prepared)),
        plan_(prepared_.plan),
        engine_(door.engine()),
        events_(events),
        on_picture_(on_picture),
        told_(events, prepared_.notes, prepared_.warnings),
        threads_(engine_.chosen().threads) {
    prepared_.timings.engine = door.waited();
  }

  RenderResult run() {
    told_.note(widening_notes(prepared_.model, engine_));
    if (plan_.stage) told_.note(widening_notes(plan_.stage->model(), engine_));
    const BackgroundDigests digests(prepared_.model);
    result_.end = render_first();
    if (plan_.stage && result_.end == RenderEnd::finished) result_.end = render_stage();
    return result();
  }

 private:
  /// The first model's pictures are the end, or what a second model goes on from.
  RenderEnd render_first() {
    RenderRequest& request = prepared_.request;
    if (plan_.latent) {
      plan_.latent->carry(plan_.job.vae_tiling, engine_, events_);
      request.latent = plan_.latent->latent(plan_.job);
      told_.note(plan_.latent->notes());
      before_ += plan_.latent->handoff().timings();
      history_ = plan_.latent->history();
    }
    if (plan_.stage) request.decodes = plan_.stage->wants_pictures();
    if (!plan_.stage) request.pictures = plan_.wanted;
    return sample(request, prepared_.model, [&](const Rendered& picture) {
      if (plan_.stage) {
        plan_.stage->add(picture);
      } else {
        finish(picture);
      }
    });
  }

  RenderEnd render_stage() {
    RenderRequest& request = *prepared_.stage_request;
    request.latent = plan_.stage->carry(history_, engine_, events_);
    before_ += plan_.stage->timings();
    history_ = plan_.stage->history();
    request.pictures = plan_.wanted;
    return sample(request, plan_.stage->model(), [&](const Rendered& picture) { finish(picture); });
  }

  RenderEnd sample(RenderRequest& request, const Model& model, const PictureCallback& on_picture) {
    request.stop = events_.stop;
    return engine_.render(
        model, request, events_.step ? events_.step : [](int, int) {},
        [&](const Rendered& picture) {
          if (events_.picture) events_.picture();
          on_picture(picture);
        });
  }

  void finish(Rendered picture) {
    picture.timings += std::exchange(before_, {});
    hand_over(picture);
    core::append(latents_, picture.latent);
    result_.fields = fields_of(plan_.job, picture);
    result_.device = picture.device;
    result_.dtype = picture.dtype;
    latent_timings_ += picture.timings;
  }

  void hand_over(const Rendered& picture) {
    if (!plan_.pictures) return;
    const auto encoding = Clock::now();
    ResolvedJob job = plan_.job;  // a picture's settings are those of a batch of one with its own seed
    job.seed = picture.seed;
    job.batch = 1;
    DrawnPicture drawn;
    drawn.fields = fields_of(job, picture);
    const core::Infotext infotext =
        core::infotext_of(job, prepared_.model, prepared_.attachments, io::weight_hashes(prepared_.model), program());
    drawn.png = io::encode_png(
        picture.image, {io::utf8_text(core::write_infotext(infotext)),
                        io::provenance(drawn.fields, prepared_.model, prepared_.attachments, stage_model(), history_)});
    drawn.index = picture.index;
    drawn.seed = picture.seed;
    drawn.size = {picture.image.width, picture.image.height};
    drawn.device = picture.device;
    drawn.dtype = picture.dtype;
    drawn.history = history_;
    drawn.notes = prepared_.notes;
    drawn.warnings = prepared_.warnings;
    drawn.timings = prepared_.timings;
    drawn.timings.parts = picture.timings;
    drawn.timings.png = seconds_since(encoding);
    on_picture_(drawn);
  }

  /// The settings of pictures that one device drew.
  io::Fields fields_of(ResolvedJob job, const Rendered& picture) const {
    job.device = picture.device;
    job.dtype = picture.dtype;
    job.threads = threads_;
    return core::resolved_fields(job, prepared_.model);
  }

  const Model* stage_model() const { return plan_.stage ? &plan_.stage->model() : nullptr; }

  RenderResult result() {
    if (result_.end == RenderEnd::stopped) return std::move(result_);
    Passport passport;
    passport.vae_sha256 = io::vae_digest(plan_.stage ? plan_.stage->model() : prepared_.model);
    passport.job = io::provenance(result_.fields, prepared_.model, prepared_.attachments, stage_model());
    passport.history = history_;
    result_.latents = io::to_document(latents_, std::move(passport));
    result_.history = history_;
    result_.notes = prepared_.notes;
    result_.warnings = prepared_.warnings;
    result_.timings = prepared_.timings;
    result_.timings.parts = latent_timings_;
    return std::move(result_);
  }

  PreparedRender prepared_;
  RenderPlan& plan_;
  Engine& engine_;
  const Events& events_;
  const DrawnCallback& on_picture_;
  Told told_;
  int threads_;                     ///< that the engine runs on
  std::vector<Transcode> history_;  ///< of what is drawn
  Timings before_;                  ///< what the next picture is charged with: everything before its own sampling
  Latent latents_;
  Timings latent_timings_;
  RenderResult result_;
};

}  // namespace

std::vector<io::Checked> RenderPlan::routes() const {
  std::vector<io::Checked> routes;
  if (latent) routes.push_back(latent->handoff().checked());
  if (stage) routes.push_back(stage->handoff().checked());
  return routes;
}

RenderPlan plan_render(RenderAsked asked, ModelCatalog& catalog, std::uint64_t random) {
  const auto planning = Clock::now();
  RenderPlan plan;
  plan.asked = std::move(asked.asked);
  plan.pictures = asked.pictures;
  plan.lora_folders = std::move(asked.lora_folders);
  if (asked.latent) {
    plan.latent = std::make_unique<StartLatent>(std::move(asked.latent->latent), asked.latent->sha256, plan.asked);
  }
  Job job = plan.asked.job;
  std::string name = job.model;
  if (name.empty() && plan.latent) name = plan.latent->model();
  plan.model = &catalog.open(name.empty() ? default_model : name);
  if (plan.latent) {
    plan.latent->plan(plan.asked, *plan.model, asked.handoff, catalog);
    job = plan.latent->completed(plan.asked, *plan.model);
  } else if (job.image) {
    plan.picture = std::make_unique<StartPicture>(job, *plan.model, std::move(asked.picture));
  }
  plan.embeddings = job.embeddings;
  plan.loras = job.loras;
  plan.job = core::resolve(job, *plan.model, random, plan.latent ? &plan.latent->handoff().arriving() : nullptr);
  if (job.then) {
    plan.stage = std::make_unique<Stage>(job, plan.job, *plan.model, asked.handoff, catalog);
    plan.job.then = plan.stage->name();
  }
  plan.seconds = seconds_since(planning);
  return plan;
}

PreparedRender prepare_render(RenderPlan plan, EngineDoor* door, const Events& events) {
  PreparedRender prepared;
  prepared.plan = std::move(plan);
  RenderPlan& asked = prepared.plan;
  prepared.model = *asked.model;
  io::RunTimings& timings = prepared.timings;
  timings.read = asked.seconds;
  Told told(events, prepared.notes, prepared.warnings);
  check_room(asked.job);
  told.note(job_notes(asked.job, prepared.model));
  const auto reading = Clock::now();
  verify(asked);
  timings.read += seconds_since(reading);
  io::PromptReader prompts(prepared.model, prepared.attachments, asked.job, asked.embeddings);
  std::optional<io::PromptReader> stage_prompts;
  if (asked.stage) {
    stage_prompts.emplace(asked.stage->model(), asked.stage->attachments(), asked.stage->job(),
                          asked.stage->embeddings());
  }
  const auto adding = Clock::now();
  take_loras(prepared, prompts, stage_prompts ? &*stage_prompts : nullptr, told);
  timings.read += seconds_since(adding);
  if (door != nullptr) door->begin();
  const auto request_of = [&](const ResolvedJob& job, const Model& model, io::PromptReader& reader) {
    const auto tokenizing = Clock::now();
    RenderRequest request = render_request(job, model, reader.encode());
    request.decodes = asked.pictures;
    timings.tokens += seconds_since(tokenizing);
    told.warn(reader.warnings());
    return request;
  };
  prepared.request = request_of(asked.job, prepared.model, prompts);
  prepared.request.attachments = prepared.attachments;
  if (asked.stage) {
    prepared.stage_request = request_of(asked.stage->job(), asked.stage->model(), *stage_prompts);
    prepared.stage_request->attachments = asked.stage->attachments();
    told.note(asked.stage->notes());
  }
  if (asked.picture) {
    const auto fitting = Clock::now();
    FittedPicture fitted = asked.picture->fitted(asked.job, prepared.model.space.downscale);
    prepared.request.image = std::move(fitted.image);
    prepared.request.mask = std::move(fitted.mask);
    told.note(asked.picture->notes());
    timings.read += seconds_since(fitting);
  }
  if (asked.pictures) {
    const core::Infotext infotext = core::infotext_of(asked.job, prepared.model, prepared.attachments, {}, program());
    if (const auto warning = core::infotext_warning(infotext)) told.warn({*warning});
  }
  return prepared;
}

RenderResult render(PreparedRender prepared, EngineDoor& door, const Events& events, const DrawnCallback& on_picture) {
  return Rendering(std::move(prepared), door, events, on_picture).run();
}

}  // namespace lapis::pipeline
