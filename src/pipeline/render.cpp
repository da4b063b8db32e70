#include "pipeline/render.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/stopwatch.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/weight_digests.hpp"
#include "io/picture/infotext.hpp"
#include "io/picture/png.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "io/report/changed_settings.hpp"
#include "io/report/job_json.hpp"
#include "lapis/attachments.hpp"
#include "lapis/error.hpp"
#include "lapis/version.hpp"
#include "pipeline/background_digests.hpp"
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
  if (plan.stage) io::verify_files(*plan.stage->model);
  if (plan.latent) verify(plan.latent->handoff);
}

/// The LoRAs that a plan names; those that a latent was made with by their digests too.
LoraRequest loras_of(const RenderPlan& plan) {
  LoraRequest request{plan.loras, {}, plan.lora_folders, {}, ""};
  if (!plan.record.document.empty() && !plan.record.overruled.contains("loras")) {
    request.latent = plan.record.name;
    request.recorded = io::lora_digests(plan.record.document, request.latent);
  }
  if (!plan.latent || !plan.latent->inherits_loras) return request;
  request.latent = plan.latent->latent.name;
  request.recorded = io::lora_digests(plan.latent->latent.passport().job, request.latent);
  return request;
}

/// What of its model is not as it was when a job was recorded, one line each.
std::vector<std::string> changes_of(const RenderPlan& plan) {
  const JobRecord& record = plan.record;
  if (record.document.empty() || record.overruled.contains("model")) return {};
  const std::string now = io::provenance(core::resolved_fields(plan.job, *plan.model), *plan.model);
  std::vector<std::string> lines;
  for (const io::SettingChange& change :
       io::changed_settings(record.document, now).value_or(io::ChangedSettings()).models) {
    if (!change.key.starts_with("model: ")) continue;
    lines.push_back(core::sentence("{} was made with another model of that name: {} was {} and is {}", record.name,
                                   change.key.substr(7), change.a, change.b));
  }
  return lines;
}

/// What is left out of a record, for a listener.
std::vector<std::string> left_out_of(const RenderPlan& plan) {
  std::vector<std::string> names;
  for (const std::string& key : plan.record.left_out) names.push_back(core::field_name(key));
  if (names.empty()) return {};
  return {core::sentence("{} was made with another model, and what is not for {} is left out: {}", plan.record.name,
                         plan.model->name, core::joined(names))};
}

/// What one of the models is asked to draw, on its way: what its prompts call is read before libtorch begins to open,
/// its tokens while it does.
class RequestDraft {
 public:
  RequestDraft(const Model& model, ResolvedJob& job, const std::vector<std::string>& embeddings)
      : model_(model), job_(job), prompts_(model, attachments_, job, embeddings) {}

  /// Adds the LoRAs that are asked for and those that the prompts call; returns warnings.
  std::vector<std::string> take_loras(LoraRequest loras) {
    loras.calls = prompts_.loras();
    return add_loras(loras, model_, attachments_, job_);
  }

  /// The whole request; warnings of the prompts go to `told`.
  RenderRequest encoded(io::Tokenizers& tokenizers, bool decodes, Told& told) {
    RenderRequest request = render_request(job_, model_, prompts_.encode(tokenizers));
    request.decodes = decodes;
    request.attachments = std::move(attachments_);
    told.warn(prompts_.warnings());
    return request;
  }

 private:
  const Model& model_;
  ResolvedJob& job_;
  Attachments attachments_;
  io::PromptReader prompts_;
};

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
    told_.note(widening_notes(*plan_.model, engine_));
    if (plan_.stage) told_.note(widening_notes(*plan_.stage->model, engine_));
    const BackgroundDigests digests(*plan_.model);
    if (plan_.latent) take_latent();
    const auto last = [&](const Rendered& picture) { finish(picture); };
    if (plan_.stage) {
      render_both(*plan_.stage, last);
    } else {
      prepared_.request.pictures = plan_.wanted;
      result_.end = sample(prepared_.request, *plan_.model, last);
    }
    return result();
  }

 private:
  void take_latent() {
    StartLatent start = carry(*plan_.latent, plan_.job, engine_, events_);
    told_.note(start.notes);
    prepared_.request.latent = std::move(start.latent);
    history_ = std::move(start.history);
    before_ += start.timings;
  }

  void render_both(const StagePlan& stage, const PictureCallback& on_picture) {
    RenderRequest& request = prepared_.request;
    request.decodes = stage.handoff.transcodes();
    StageInput made{{}, {}, history_};
    result_.end = sample(request, *plan_.model, [&](const Rendered& picture) {
      before_ += picture.timings;
      core::append(made.latent, picture.latent);
      if (request.decodes) made.pictures.push_back(picture.image);
    });
    if (result_.end == RenderEnd::finished) render_stage(std::move(made), on_picture);
  }

  void render_stage(StageInput made, const PictureCallback& on_picture) {
    Transcoded carried = carry(*plan_.stage, std::move(made), engine_, events_);
    prepared_.stage_request->latent = io::to_latent(carried.document);
    prepared_.stage_request->pictures = plan_.wanted;
    history_ = std::move(carried.document.passport.history);
    before_ += carried.timings;
    result_.end = sample(*prepared_.stage_request, *plan_.stage->model, on_picture);
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
    const core::Stopwatch encoding;
    ResolvedJob job = plan_.job;  // a picture's settings are those of a batch of one with its own seed
    job.seed = picture.seed;
    job.batch = 1;
    DrawnPicture drawn;
    drawn.fields = fields_of(job, picture);
    const io::Infotext infotext =
        io::infotext_of(job, *plan_.model, attachments(), io::weight_hashes(*plan_.model), program());
    drawn.png = io::encode_png(picture.image,
                               {io::utf8_text(io::write_infotext(infotext)),
                                io::provenance(drawn.fields, *plan_.model, attachments(), stage_model(), history_)});
    drawn.image = picture.image;
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
    drawn.timings.png = encoding.seconds();
    on_picture_(drawn);
  }

  /// The settings of pictures that one device drew.
  io::Fields fields_of(ResolvedJob job, const Rendered& picture) const {
    job.device = picture.device;
    job.dtype = picture.dtype;
    job.threads = threads_;
    return core::resolved_fields(job, *plan_.model);
  }

  const Attachments& attachments() const { return prepared_.request.attachments; }
  const Model* stage_model() const { return plan_.stage ? plan_.stage->model : nullptr; }

  RenderResult result() {
    if (latents_.values.empty()) return std::move(result_);  // stopped before the first was drawn
    Passport passport;
    passport.vae_sha256 = io::vae_digest(plan_.stage ? *plan_.stage->model : *plan_.model);
    passport.job = io::provenance(result_.fields, *plan_.model, attachments(), stage_model());
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

/// The field that an error is of, where a record says it, and it is not for the model that is said on top of that.
std::optional<std::string> unfit_field(const Error& error, const AskedJob& asked, const JobRecord& record) {
  constexpr std::array<std::string_view, 6> kept = {"prompt", "model", "image", "mask", "init_latent", "then"};
  if (!record.overruled.contains("model")) return std::nullopt;
  for (std::string& key : core::fields_in(error.marked_problem())) {
    const auto is_in = [&](const auto& keys) { return std::ranges::find(keys, key) != std::ranges::end(keys); };
    const bool is_recorded = asked.named.contains(key) && !record.overruled.contains(key);
    if (is_recorded && !is_in(kept) && !is_in(record.left_out)) return std::move(key);
  }
  return std::nullopt;
}

/// The job resolved for the plan's model, without what a record says that is not for it.
ResolvedJob resolved_for(RenderPlan& plan, Job& job, const AskedJob& asked, std::uint64_t random) {
  for (;;) {
    try {
      return core::resolve(job, *plan.model, random, plan.latent ? &plan.latent->handoff.arriving : nullptr);
    } catch (const Error& error) {
      const std::optional<std::string> key = unfit_field(error, asked, plan.record);
      if (!key) throw;
      core::copy_field(job, Job(), core::find_job_field(*key));
      plan.record.left_out.push_back(*key);
    }
  }
}

/// Throws Error{usage} for fields of a latent to start from, where there is none, and of its way into the model's
/// space, where no second model goes that way either.
void refuse_latent_fields(const AskedJob& asked, bool has_stage, bool may_name_latent) {
  for (const core::JobField& field : core::job_fields()) {
    const bool is_of_latent = field.group == core::FieldGroup::hints;
    const bool is_of_its_way = field.group == core::FieldGroup::transcode && !has_stage;
    if ((!is_of_latent && !is_of_its_way) || !asked.named.contains(std::string(field.key))) continue;
    throw Error(ErrorKind::usage,
                core::sentence("{} is for a latent to start from, and there is none.", core::field_name(field.key)),
                may_name_latent ? core::sentence("Leave it out, or name one: {init_latent} FILE") : "Leave it out");
  }
}

}  // namespace

std::vector<io::Checked> RenderPlan::routes() const {
  std::vector<io::Checked> routes;
  if (latent) routes.push_back(latent->handoff.checked());
  if (stage) routes.push_back(stage->handoff.checked());
  return routes;
}

RenderPlan plan_render(RenderAsked asked, ModelCatalog& catalog, std::uint64_t random) {
  const core::Stopwatch planning;
  RenderPlan plan;
  plan.pictures = asked.pictures;
  plan.record = std::move(asked.record);
  const bool may_name_latent = !asked.picture;
  Job job = asked.asked.job;
  const core::RouteOptions handoff = {!job.no_convert, job.measure, job.compensate};
  plan.lora_folders = job.lora_dirs;
  std::string name = job.model;
  std::optional<Job> recorded;
  if (asked.latent) recorded = recorded_job(asked.latent->latent, asked.asked);
  if (name.empty() && recorded) name = recorded->model;
  plan.model = &catalog.open(name.empty() ? default_model : name);
  plan.tokenizers = &catalog.tokenizers();
  if (asked.latent) {
    plan.latent = plan_start_latent(std::move(*asked.latent), recorded, asked.asked, *plan.model, handoff, catalog);
    job = plan.latent->job;
  } else if (job.image) {
    plan.picture = read_start_picture(job, *plan.model, std::move(asked.picture));
  }
  plan.embeddings = job.embeddings;
  plan.loras = job.loras;
  plan.job = resolved_for(plan, job, asked.asked, random);
  if (job.then) {
    plan.stage = plan_stage(job, plan.job, *plan.model, handoff, catalog);
    plan.job.then = plan.stage->name();
  }
  if (!plan.latent) refuse_latent_fields(asked.asked, plan.stage.has_value(), may_name_latent);
  plan.seconds = planning.seconds();
  return plan;
}

PreparedRender prepare_render(RenderPlan asked, EngineDoor* door, const Events& events) {
  PreparedRender prepared;
  prepared.plan = std::move(asked);
  RenderPlan& plan = prepared.plan;
  io::RunTimings& timings = prepared.timings;
  timings.read = plan.seconds;
  Told told(events, prepared.notes, prepared.warnings);
  check_room(plan.job);
  told.note(job_notes(plan.job, *plan.model));
  told.warn(changes_of(plan));
  told.warn(left_out_of(plan));
  core::Stopwatch since;
  verify(plan);
  timings.read += since.seconds();
  RequestDraft request(*plan.model, plan.job, plan.embeddings);
  std::optional<RequestDraft> stage;
  if (plan.stage) stage.emplace(*plan.stage->model, plan.stage->job, plan.stage->embeddings);
  since = {};
  const LoraRequest loras = loras_of(plan);
  told.warn(request.take_loras(loras));
  if (stage && plan.stage->takes_loras) told.warn(stage->take_loras(loras));
  timings.read += since.seconds();
  if (door != nullptr) door->begin();
  since = {};
  prepared.request = request.encoded(*plan.tokenizers, plan.pictures, told);
  if (stage) prepared.stage_request = stage->encoded(*plan.tokenizers, plan.pictures, told);
  timings.tokens += since.seconds();
  if (stage) told.note(plan.stage->notes);
  since = {};
  if (plan.picture) {
    FittedPicture picture = fitted(*plan.picture, plan.job, plan.model->space.downscale);
    prepared.request.image = std::move(picture.image);
    prepared.request.mask = std::move(picture.mask);
    told.note(picture.notes);
  }
  timings.read += since.seconds();
  if (plan.pictures) {
    const io::Infotext infotext = io::infotext_of(plan.job, *plan.model, prepared.request.attachments, {}, program());
    if (const auto warning = io::infotext_warning(infotext)) told.warn({*warning});
  }
  return prepared;
}

RenderResult render(PreparedRender prepared, EngineDoor& door, const Events& events, const DrawnCallback& on_picture) {
  return Rendering(std::move(prepared), door, events, on_picture).run();
}

}  // namespace lapis::pipeline
