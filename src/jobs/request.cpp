#include "jobs/request.hpp"

#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/checkpoint/embedding_files.hpp"
#include "io/checkpoint/lora_files.hpp"
#include "io/file/sha256.hpp"
#include "io/model/model_folder.hpp"
#include "io/report/report.hpp"
#include "jobs/output_template.hpp"
#include "lapis/error.hpp"
#include "pipeline/convert.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/decode_outputs.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/latent_outputs.hpp"
#include "pipeline/latent_words.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/render.hpp"
#include "pipeline/render_asked.hpp"
#include "pipeline/render_outputs.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

/// A job of each kind, planned, its outputs named and none of them tried.
struct PlannedRender {
  pipeline::RenderPlan plan;
  pipeline::RenderOutputs outputs;
};

struct PlannedDecode {
  pipeline::DecodePlan plan;
  std::string output;
  std::string latent;
  EngineOptions engine;
};

struct PlannedEncode {
  pipeline::EncodePlan plan;
  pipeline::EncodeOutputs outputs;
  EngineOptions engine;
};

struct PlannedConvert {
  pipeline::ConvertPlan plan;
  pipeline::ConvertWords words;
  EngineOptions engine;
};

using Planned = std::variant<PlannedRender, PlannedDecode, PlannedEncode, PlannedConvert>;

std::string word_of(const BatchJob& job, const std::string& key) {
  const auto word = job.said.words.find(key);
  return word == job.said.words.end() ? "" : word->second;
}

bool is_on(const BatchJob& job, const std::string& key) { return word_of(job, key) == "on"; }

pipeline::ComputeOptions compute_of(const Job& job) {
  return {job.vae_tiling.value_or("auto"),
          job.device.value_or("auto"),
          job.vae_dtype.value_or("auto"),
          job.threads.value_or(0),
          {}};
}

void refuse_stdin(const std::string& file) {
  if (file != "-") return;
  throw Error(ErrorKind::usage, "a job of a batch reads files, and - is standard input. Put it into a file");
}

const std::string& input_of(const BatchJob& job) {
  refuse_stdin(job.said.inputs.front());
  return job.said.inputs.front();
}

pipeline::RenderPlan plan_of_render(const BatchJob& job, Files& files) {
  pipeline::AskedJob asked{job.said.job, job.said.named};
  if (job.said.is_record) pipeline::check_sources_named(asked.job, "the line");
  std::shared_ptr<const io::LatentSource> source;
  if (job.said.command == "refine") {
    const std::string& path = input_of(job);
    source = std::make_shared<io::LatentSource>(path, io::LatentSource::largest_pipe, /*or_picture=*/true);
    const std::string field = pipeline::field_of_source(*source, path);
    (field == "image" ? asked.job.image : asked.job.init_latent) = path;
    asked.named.emplace(field);
  }
  for (const auto& file : {asked.job.image, asked.job.mask, asked.job.init_latent}) refuse_stdin(file.value_or(""));
  if (!asked.named.contains("prompt") && !asked.job.init_latent) {
    throw Error(ErrorKind::usage, core::sentence("there is no {prompt}. Say what the picture shows"));
  }
  pipeline::RenderAsked whole = pipeline::render_asked(std::move(asked), std::move(source), files.models());
  if (job.said.is_record) whole.record = {job.where, "", job.overruled};
  return pipeline::plan_render(std::move(whole), files.models(), job.place.seed);
}

PlannedRender plan_render_job(BatchJob& job, Files& files) {
  PlannedRender planned{plan_of_render(job, files), {}};
  name_outputs(job, planned.plan.model->name);
  planned.outputs = pipeline::name_render_outputs(job.said.job, planned.plan.job);
  return planned;
}

PlannedDecode plan_decode_job(BatchJob& job, Files& files) {
  pipeline::DecodeAsked asked;
  const pipeline::HintWords hints = {word_of(job, "space"), word_of(job, "units"), word_of(job, "format"),
                                     word_of(job, "size")};
  asked.path = input_of(job);
  asked.latent =
      pipeline::named_latent(io::LatentSource(asked.path), pipeline::latent_hints(hints, files.models(), {}));
  asked.model = job.said.job.model;
  asked.force = is_on(job, "force");
  asked.preview = is_on(job, "preview");
  asked.tiling = job.said.job.vae_tiling.value_or("auto");
  const std::string path = asked.path;
  PlannedDecode planned{pipeline::plan_decode(std::move(asked), files.models()), "", path,
                        pipeline::engine_options(compute_of(job.said.job))};
  name_outputs(job, planned.plan.model == nullptr ? "" : planned.plan.model->name);
  planned.output = job.said.job.output.value();
  return planned;
}

PlannedEncode plan_encode_job(BatchJob& job, Files& files) {
  for (const std::string& picture : job.said.inputs) refuse_stdin(picture);
  if (job.said.job.model.empty()) {
    throw Error(ErrorKind::usage, core::sentence("there is no {model} whose VAE encodes. Name one"));
  }
  name_outputs(job, files.models().open(job.said.job.model).name);
  PlannedEncode planned;
  planned.outputs = pipeline::name_encode_outputs(job.said.job.output.value(), word_of(job, "format"), job.said.inputs);
  planned.plan = pipeline::plan_encode(
      {job.said.inputs, job.said.job, job.said.job.vae_tiling.value_or("auto"), planned.outputs.is_one()},
      files.models());
  planned.engine = pipeline::engine_options(compute_of(job.said.job));
  return planned;
}

PlannedConvert plan_convert_job(BatchJob& job, Files& files) {
  const pipeline::HintWords hints = {word_of(job, "space"), word_of(job, "in_units"), word_of(job, "in_format"),
                                     word_of(job, "in_size")};
  PlannedConvert planned;
  name_outputs(job, word_of(job, "to"));
  planned.words = {input_of(job),          word_of(job, "to"),    word_of(job, "from"),  job.said.job.output.value(),
                   word_of(job, "format"), word_of(job, "units"), word_of(job, "dtype"), word_of(job, "size")};
  pipeline::ConvertAsked asked = pipeline::convert_asked(planned.words);
  asked.may_convert = !is_on(job, "no_convert");
  asked.compensate = word_of(job, "compensate") != "off";
  asked.tiling = job.said.job.vae_tiling.value_or("auto");
  asked.latent = pipeline::named_latent(
      io::LatentSource(planned.words.latent),
      pipeline::latent_hints(hints, files.models(), {"space", "in_units", "in_format", "in_size"}));
  planned.plan = pipeline::plan_convert(std::move(asked), files.models());
  planned.engine = pipeline::engine_options(compute_of(job.said.job));
  return planned;
}

Planned planned(BatchJob& job, Files& files) {
  if (job.said.command == "decode") return plan_decode_job(job, files);
  if (job.said.command == "encode") return plan_encode_job(job, files);
  if (job.said.command == "convert") return plan_convert_job(job, files);
  return plan_render_job(job, files);
}

/// What tells apart jobs that would not give the same bytes under the same names: keys and values, a line each.
class Identity {
 public:
  void add(std::string_view key, std::string_view value) {
    text_ += core::sentence("{} {} {}\n", key, value.size(), value);
  }

  std::string id() const { return io::sha256(std::as_bytes(std::span(text_))); }

 private:
  std::string text_;
};

/// Bytes of a model's files: what a call of its networks costs, roughly.
double weight_of(const Model& model) {
  std::uint64_t bytes = 0;
  for (const auto& [name, facts] : model.files) bytes += facts.size;
  return static_cast<double>(bytes);
}

double pixels_of(PixelSize size) { return static_cast<double>(size.width) * size.height; }

/// Digests of the LoRAs and the embeddings of a job. The LoRAs that it names become what pictures record of them, which
/// is no path.
void add_attachments(Identity& identity, const pipeline::RenderPlan& plan, ResolvedJob& recorded, Files& files) {
  std::vector<fs::path> folders(plan.lora_folders.begin(), plan.lora_folders.end());
  for (const fs::path& folder : pipeline::lora_places()) folders.push_back(folder);
  const auto add = [&](const std::string& name) {
    const fs::path path = io::find_lora(name, folders, core::marked("{loras}"));
    identity.add("lora", files.digest(path));
    if (const fs::path config = io::lora_config(path); !config.empty()) identity.add("lora", files.digest(config));
    return path.stem().string();
  };
  recorded.loras.clear();
  for (const std::string& argument : plan.loras) {
    const core::LoraCall call = core::parse_lora_argument(argument);
    recorded.loras.push_back(core::lora_argument(add(call.name), call.weight.denoiser));
  }
  for (const io::EmbeddingFile& file : io::find_embeddings(plan.embeddings)) {
    identity.add("embedding", files.digest(file.path));
  }
  if (plan.job.prompt.find("<lora:") == std::string::npos) return;
  ResolvedJob job = plan.job;
  Attachments attachments;
  const io::PromptReader prompts(*plan.model, attachments, job, plan.embeddings);
  for (const core::LoraCall& call : prompts.loras()) add(call.name);
}

double cost_of(const pipeline::RenderPlan& plan) {
  const ResolvedJob& job = plan.job;
  const double passes = cfg_scale(job) > 1 && job.guidance_interval.to > job.guidance_interval.from ? 2 : 1;
  const double taken = job.steps * job.strength.value_or(1);
  double each = taken * pixels_of({job.width, job.height});
  if (job.hires) each += job.hires_steps.value_or(job.steps) * pixels_of({job.hires_width, job.hires_height});
  return each * passes * job.batch * weight_of(*plan.model);
}

std::vector<std::string> paths_of(std::span<const pipeline::Output> outputs) {
  std::vector<std::string> paths;
  for (const pipeline::Output& output : outputs) paths.push_back(output.path);
  return paths;
}

Outline outline_of(const PlannedRender& planned, Identity identity, Files& files) {
  const pipeline::RenderPlan& plan = planned.plan;
  ResolvedJob recorded = plan.job;
  add_attachments(identity, plan, recorded, files);
  identity.add("job", io::provenance(core::resolved_fields(recorded, *plan.model), *plan.model, {},
                                     plan.stage ? plan.stage->model : nullptr));
  if (plan.latent) identity.add("from", plan.latent->job.init_latent.value_or(""));
  Outline outline;
  outline.outputs = paths_of(planned.outputs.all());
  outline.engine = pipeline::engine_options(plan.job);
  outline.model = plan.model->name;
  outline.folder = plan.model->folder.string();
  outline.load = plan.model->folder.string();
  if (plan.stage) outline.load += " " + plan.stage->model->folder.string();
  outline.load += " " + core::joined(plan.loras) + " " + core::joined(plan.embeddings);
  outline.cost = cost_of(plan);
  outline.id = identity.id();
  return outline;
}

/// Of a job that runs VAEs alone: `decoding` the one of its latent, `encoding` that of its result.
Outline outline_of_vae(const Model* decoding, const Model* encoding, double pixels, Identity identity) {
  Outline outline;
  for (const Model* model : {decoding, encoding}) {
    if (model == nullptr) continue;
    identity.add("vae", io::vae_digest(*model));
    outline.model = model->name;
    outline.folder = model->folder.string();
    outline.load += "vae " + model->folder.string() + " ";
    outline.cost += pixels * weight_of(*model);
  }
  outline.id = identity.id();
  return outline;
}

Outline outline_of(const PlannedDecode& planned, Identity identity, Files& files) {
  identity.add("latent", files.digest(planned.latent));
  pipeline::DecodePlan plan = planned.plan;
  const double pixels = pixels_of(core::picture_size(plan.latent.passport())) * plan.batch();
  Outline outline = outline_of_vae(plan.model, nullptr, pixels, std::move(identity));
  outline.engine = planned.engine;
  outline.outputs = pipeline::decode_names(planned.output, planned.latent, plan);
  return outline;
}

Outline outline_of(const PlannedEncode& planned, Identity identity, Files& /*files*/) {
  double pixels = 0;
  for (const pipeline::PictureInput& picture : planned.plan.pictures) {
    identity.add("picture", io::sha256(picture.picture.image.file.bytes));
    pixels += pixels_of(picture.size());
  }
  Outline outline = outline_of_vae(nullptr, planned.plan.model, pixels, std::move(identity));
  outline.engine = planned.engine;
  outline.outputs = paths_of(planned.outputs.latents);
  return outline;
}

Outline outline_of(const PlannedConvert& planned, Identity identity, Files& files) {
  identity.add("latent", files.digest(planned.words.latent));
  const pipeline::ConvertPlan& plan = planned.plan;
  const double pixels = pixels_of(core::picture_size(plan.latent.passport()));
  const bool transcodes = plan.transcodes();
  Outline outline =
      outline_of_vae(transcodes ? plan.own : nullptr, transcodes ? plan.target : nullptr, pixels, std::move(identity));
  outline.engine = planned.engine;
  outline.outputs = {pipeline::convert_name(planned.words, plan.format)};
  return outline;
}

void make_folders(std::span<const pipeline::Output> outputs) {
  for (const pipeline::Output& output : outputs) {
    std::error_code ignored;  // what cannot be made is told by whoever tries to write there
    const fs::path folder = fs::path(output.path).parent_path();
    if (!folder.empty()) fs::create_directories(folder, ignored);
  }
}

/// What a job is done with.
struct Doing {
  const pipeline::ModelCatalog& models;
  pipeline::EngineDoor& door;
  const Events& events;
  const pipeline::Outlet& outlet;
  const OnWritten& on_written;
};

bool run(PlannedRender planned, const Doing& doing) {
  pipeline::RenderOutputs& outputs = planned.outputs;
  make_folders(outputs.all());
  pipeline::plan_render_outputs(outputs, planned.plan, doing.outlet.policy, doing.models);
  if (pipeline::all_stay(outputs.all())) return true;
  pipeline::PreparedRender prepared = pipeline::prepare_render(std::move(planned.plan), &doing.door, doing.events);
  const auto on_picture = [&](const pipeline::DrawnPicture& picture) {
    if (const auto written = pipeline::save(picture, outputs, doing.outlet)) doing.on_written(*written);
  };
  const pipeline::RenderResult result = pipeline::render(std::move(prepared), doing.door, doing.events, on_picture);
  if (result.end == RenderEnd::stopped) return false;
  if (const auto latents = pipeline::save(result, outputs, doing.outlet)) doing.on_written(*latents);
  return true;
}

bool run(PlannedDecode planned, const Doing& doing) {
  make_folders(pipeline::picture_outputs(pipeline::decode_names(planned.output, planned.latent, planned.plan)));
  const std::vector<pipeline::Output> outputs =
      pipeline::plan_decode_outputs(planned.output, planned.latent, planned.plan, doing.outlet, doing.models);
  if (pipeline::all_stay(outputs)) return true;
  pipeline::decode(planned.plan, doing.door, doing.events, [&](const pipeline::DecodedPicture& picture) {
    doing.on_written(pipeline::save(picture, planned.plan, outputs, doing.outlet));
  });
  return true;
}

bool run(PlannedEncode planned, const Doing& doing) {
  make_folders(planned.outputs.latents);
  pipeline::plan_encode_outputs(planned.outputs, planned.plan, doing.outlet, doing.models);
  if (pipeline::all_stay(planned.outputs.latents)) return true;
  pipeline::encode(planned.plan, doing.door, doing.events, [&](const pipeline::EncodedPictures& encoded) {
    doing.on_written(pipeline::save(encoded, planned.plan, planned.outputs, doing.outlet));
  });
  return true;
}

bool run(PlannedConvert planned, const Doing& doing) {
  make_folders({{{planned.words.output, std::nullopt}}});
  const pipeline::Output output =
      pipeline::plan_convert_output(planned.words, planned.plan, doing.outlet, doing.models);
  if (output.stays) return true;
  pipeline::verify(planned.plan);
  const pipeline::Converted converted = pipeline::convert(planned.plan, doing.door, doing.events);
  doing.on_written(pipeline::save(converted, planned.plan, output, doing.outlet));
  return true;
}

/// Whether one engine serves both.
bool same_engine(const EngineOptions& a, const EngineOptions& b) {
  return a.device == b.device && a.dtype == b.dtype && a.threads == b.threads && a.vae_dtype == b.vae_dtype &&
         a.keep_bytes == b.keep_bytes;
}

}  // namespace

const std::string& Files::digest(const fs::path& file) {
  const auto known = digests_.find(file);
  if (known != digests_.end()) return known->second;
  return digests_.emplace(file, io::sha256_file(file, ErrorKind::input)).first->second;
}

pipeline::EngineDoor& SharedDoor::of(const EngineOptions& options) {
  if (!door_ || !same_engine(door_->options(), options)) {
    door_.reset();
    door_.emplace(options, pipeline::EngineEnd::with_door);
  }
  return *door_;
}

std::vector<std::string> inputs_of(const BatchJob& job) {
  std::vector<std::string> inputs = job.said.inputs;
  for (const auto& file : {job.said.job.image, job.said.job.mask, job.said.job.init_latent}) {
    if (file) inputs.push_back(*file);
  }
  return inputs;
}

Outline outline(BatchJob& job, Files& files) {
  const Planned plan = planned(job, files);
  Identity identity;
  identity.add("command", job.said.command);
  for (const auto& [key, word] : job.said.words) identity.add(key, word);
  Outline outline = std::visit([&](const auto& each) { return outline_of(each, identity, files); }, plan);
  Identity whole;
  whole.add("job", outline.id);
  for (const std::string& output : outline.outputs) whole.add("output", fs::path(output).filename().string());
  outline.id = whole.id();
  return outline;
}

bool run(const BatchJob& job, Files& files, pipeline::EngineDoor& door, const Events& events,
         const pipeline::Outlet& outlet, const OnWritten& on_written) {
  BatchJob named = job;
  Planned plan = planned(named, files);
  const Doing doing{files.models(), door, events, outlet, on_written};
  return std::visit([&](auto& each) { return run(std::move(each), doing); }, plan);
}

}  // namespace lapis::jobs
