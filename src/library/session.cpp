#include "lapis/session.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/route.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/latent/latent_file.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/picture/png.hpp"
#include "pipeline/check.hpp"
#include "pipeline/convert.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/latent_words.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/render.hpp"

namespace lapis {
namespace {

constexpr std::array<std::string_view, 4> fields_of_the_session = {"device", "dtype", "vae_dtype", "threads"};
constexpr const char* given_latent = "the latent";  ///< that a caller has in memory, as messages call it

/// Puts a job on a session's machine, as a command line does that names it all: what a latent records of another one
/// counts no more. An empty name is as if nothing were said.
void take_machine(pipeline::AskedJob& asked, const EngineOptions& machine) {
  const auto said = [](const std::string& name) { return name.empty() ? std::nullopt : std::optional(name); };
  asked.job.device = said(machine.device);
  asked.job.dtype = said(machine.dtype);
  asked.job.vae_dtype = said(machine.vae_dtype);
  asked.job.threads = machine.threads;
  asked.named.insert(fields_of_the_session.begin(), fields_of_the_session.end());
}

/// A job, and what it says anything of. Throws Error{usage} for what is the session's or the caller's to decide.
pipeline::AskedJob asked_job(const Job& job) {
  pipeline::AskedJob asked{job, core::named_fields(job)};
  for (const core::JobField& field : core::job_fields()) {
    if (!asked.named.contains(std::string(field.key))) continue;
    if (std::ranges::find(fields_of_the_session, field.key) != fields_of_the_session.end()) {
      throw Error(ErrorKind::usage, core::sentence("{} is a session's, not a job's.", core::field_name(field.key)),
                  "Say it in SessionOptions::engine");
    }
    if (field.phase == core::FieldPhase::write) {
      throw Error(
          ErrorKind::usage,
          core::sentence("{} is for a program that writes files; a session writes none.", core::field_name(field.key)),
          "Write what it returns: lapis::write_file");
    }
  }
  return asked;
}

/// Throws Error{usage} for numbers that are not as many as the shape says.
void check_numbers(const LatentDocument& latent) {
  const auto& shape = latent.passport.shape;
  const bool is_shape = std::ranges::all_of(shape, [](std::int64_t side) { return side > 0 && side < 1'000'000; });
  const std::int64_t numbers = is_shape ? shape[0] * shape[1] * shape[2] * shape[3] : 0;
  const auto is_whole = [&](const std::vector<float>& values) {
    return numbers > 0 && values.size() == static_cast<std::size_t>(numbers);
  };
  if (is_whole(latent.values) && std::ranges::all_of(latent.memory, is_whole)) return;
  throw Error(ErrorKind::usage,
              core::sentence("{} has {} numbers, and its shape is {}.", given_latent, latent.values.size(),
                             core::shape_text(shape)),
              "Give it as many as the shape says, and as many for each array that its sampler remembers");
}

pipeline::NamedLatent named(const LatentDocument& latent) {
  check_numbers(latent);
  return {given_latent, {latent}};
}

Finding finding_of(const io::Checked& checked) {
  const core::Route& route = checked.route;
  return {checked.latent,
          checked.destination,
          checked.from,
          checked.to,
          std::string(core::verdict_name(core::verdict(route))),
          core::plain(route.reason),
          core::step_texts(route),
          core::plain(route.advice)};
}

std::vector<Finding> findings_of(const std::vector<io::Checked>& checks) {
  std::vector<Finding> findings;
  std::transform(checks.begin(), checks.end(), std::back_inserter(findings), finding_of);
  return findings;
}

JobPlan summary_of(const pipeline::RenderPlan& plan) { return {plan.job, findings_of(plan.routes())}; }

}  // namespace

struct Session::State {
  SessionOptions options;
  pipeline::ModelCatalog catalog;
  pipeline::EngineDoor door;

  explicit State(SessionOptions asked)
      : options(std::move(asked)), door(options.engine, pipeline::EngineEnd::with_door) {}

  pipeline::RenderPlan plan(const Job& job) { return plan_from(job, latent_of(job)); }

  pipeline::RenderPlan plan(Job job, const LatentDocument& latent) {
    if (job.init_latent) {
      throw Error(ErrorKind::usage, core::sentence("{init_latent} names a file beside the latent that is given."),
                  "Give one of the two");
    }
    pipeline::NamedLatent start = named(latent);
    job.init_latent = given_latent;
    return plan_from(job, pipeline::LatentInput{std::move(start), io::sha256(io::latent_bytes(latent))});
  }

  pipeline::RenderPlan plan_from(const Job& job, std::optional<pipeline::LatentInput> latent) {
    pipeline::RenderAsked asked;
    asked.asked = asked_job(job);
    take_machine(asked.asked, options.engine);
    asked.pictures = !job.stop_at;
    asked.latent = std::move(latent);
    return pipeline::plan_render(std::move(asked), catalog, pipeline::random_number());
  }

  /// The latent that a job names by its file, if it names one.
  std::optional<pipeline::LatentInput> latent_of(const Job& job) {
    if (!job.init_latent) return std::nullopt;
    const io::LatentHints hints = pipeline::latent_hints(job, catalog);
    const io::LatentSource source(*job.init_latent);
    return pipeline::LatentInput{pipeline::named_latent(source, hints), io::sha256(source.bytes())};
  }

  LatentDocument render(pipeline::RenderPlan planned, const OnPicture& on_picture) {
    pipeline::PreparedRender prepared = pipeline::prepare_render(std::move(planned), &door, options.events);
    return pipeline::render(std::move(prepared), door, options.events,
                            [&](const pipeline::DrawnPicture& drawn) {
                              if (on_picture) on_picture({drawn.index, drawn.seed, drawn.image, drawn.png});
                            })
        .latents;
  }
};

Session::Session(SessionOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<std::string> Session::models() {
  std::vector<std::string> names;
  for (const Model* model : state_->catalog.all()) names.push_back(model->name);
  return names;
}

const Model& Session::open(const std::string& name) { return state_->catalog.open(name); }

JobPlan Session::plan(const Job& job) { return summary_of(state_->plan(job)); }

JobPlan Session::plan(const Job& job, const LatentDocument& latent) { return summary_of(state_->plan(job, latent)); }

LatentDocument Session::render(const Job& job, const OnPicture& on_picture) {
  return state_->render(state_->plan(job), on_picture);
}

LatentDocument Session::render(const Job& job, const LatentDocument& latent, const OnPicture& on_picture) {
  return state_->render(state_->plan(job, latent), on_picture);
}

std::vector<Image> Session::decode(const LatentDocument& latent, const std::string& model) {
  pipeline::DecodeAsked asked;
  asked.latent = named(latent);
  asked.path = given_latent;
  asked.model = model;
  const pipeline::DecodePlan plan = pipeline::plan_decode(std::move(asked), state_->catalog);
  std::vector<Image> pictures;
  pipeline::decode(plan, state_->door, state_->options.events,
                   [&](const pipeline::DecodedPicture& decoded) { pictures.push_back(decoded.image); });
  return pictures;
}

LatentDocument Session::encode(const std::vector<std::string>& pictures, const std::string& model,
                               std::optional<std::uint64_t> seed) {
  if (pictures.empty()) throw Error(ErrorKind::usage, "there is no picture to encode.", "Name at least one file");
  pipeline::EncodeAsked asked;
  asked.pictures = pictures;
  asked.job.model = model;
  asked.job.seed = seed;
  asked.one_latent = true;
  const pipeline::EncodePlan plan = pipeline::plan_encode(asked, state_->catalog);
  LatentDocument latent;
  pipeline::encode(plan, state_->door, state_->options.events,
                   [&](const pipeline::EncodedPictures& encoded) { latent = encoded.document; });
  return latent;
}

LatentDocument Session::convert(const LatentDocument& latent, const std::string& to) {
  pipeline::ConvertAsked asked;
  asked.latent = named(latent);
  asked.path = given_latent;
  asked.to = to;
  pipeline::ConvertPlan plan = pipeline::plan_convert(std::move(asked), state_->catalog);
  pipeline::verify(plan);
  return pipeline::convert(plan, state_->door, state_->options.events).document;
}

std::vector<Finding> Session::check(const std::vector<std::string>& things, const std::string& to) {
  pipeline::CheckAsked asked;
  for (const std::string& thing : things) {
    (pipeline::names_file(thing) ? asked.latents : asked.models).push_back(thing);
  }
  asked.to = to;
  return findings_of(pipeline::check(asked, state_->catalog));
}

std::vector<Finding> Session::check_latent(const LatentDocument& latent, const std::string& to) {
  check_numbers(latent);
  pipeline::CheckAsked asked;
  asked.passport = {given_latent, latent.passport};
  asked.to = to;
  return findings_of(pipeline::check(asked, state_->catalog));
}

LatentDocument read_latent(const std::string& path) {
  const io::LatentSource source(path);
  return io::read_latent(source.bytes(), source.name(), {}).document;
}

std::vector<std::byte> latent_bytes(const LatentDocument& latent) {
  check_numbers(latent);
  return io::latent_bytes(latent);
}

std::vector<std::byte> png_bytes(const Image& image) {
  const auto pixels = std::int64_t{image.width} * image.height;
  if (image.width > 0 && image.height > 0 && image.rgb.size() == static_cast<std::size_t>(3 * pixels)) {
    return io::encode_png(image, {});
  }
  throw Error(ErrorKind::usage,
              core::sentence("a picture of {} x {} pixels has {} bytes.", image.width, image.height, image.rgb.size()),
              "Give it three bytes a pixel");
}

void write_file(const std::string& path, std::span<const std::byte> bytes, bool overwrite) {
  io::write_file(path, bytes, overwrite);
}

}  // namespace lapis
