#include "pipeline/encode.hpp"

#include <array>
#include <span>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/model/model_folder.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

void check_one_size(const EncodePlan& plan, const std::vector<std::string>& names) {
  const PixelSize first = plan.pictures.front().size();
  for (std::size_t i = 1; i < plan.pictures.size(); ++i) {
    const PixelSize size = plan.pictures[i].size();
    if (size == first) continue;
    throw Error(ErrorKind::usage,
                core::sentence("one latent holds pictures of one size; {} comes to {} pixels, {} to {}.", names.front(),
                               core::size_text(first), names[i], core::size_text(size)),
                core::sentence("Say the size ({-width} and {-height}), or give each its own file: {-output} "
                               "\"{{name}}.safetensors\""));
  }
}

/// Picture i of a batch draws from a generator of its own, as when a batch is rendered.
std::optional<std::uint64_t> seed_of(const EncodePlan& plan, std::size_t index) {
  if (!plan.seed) return std::nullopt;
  return *plan.seed + plan.pictures[index].index;
}

/// The latent of the fitted `pictures`, which are those from `first` on, with what is recorded of it.
EncodedPictures recorded(const EncodePlan& plan, const Latent& latent, std::size_t first,
                         std::span<const FittedPicture> pictures) {
  EncodedPictures encoded;
  encoded.first = plan.pictures[first].index;
  encoded.size = plan.pictures[first].size();
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    encoded.pictures.push_back(*plan.pictures[first + i].job.image);
    encoded.notes.insert(encoded.notes.end(), pictures[i].notes.begin(), pictures[i].notes.end());
  }
  Passport passport;
  passport.space = latent.space;
  passport.shape = latent.shape;
  passport.vae_sha256 = io::vae_digest(*plan.model);
  passport.job = io::encoding_job(encoded.pictures, encoded.size, *plan.pictures[first].job.fit, seed_of(plan, first),
                                  *plan.model);
  encoded.document = io::to_document(latent, std::move(passport));
  return encoded;
}

}  // namespace

PictureInput read_picture(Job job, const std::string& file, const Model& model) {
  job.image = file;
  job.strength = 1;  // nothing is denoised: 1 suits every model
  StartPicture picture = read_start_picture(job, model);
  return {std::move(picture), core::resolve(job, model, 0)};
}

EncodePlan plan_encode(const EncodeAsked& asked, ModelCatalog& catalog) {
  if (asked.job.seed) {
    const auto problem = core::seed_problem(core::field_name("seed"), *asked.job.seed, asked.pictures.size());
    if (problem) throw Error(ErrorKind::usage, *problem);
  }
  EncodePlan plan;
  plan.model = &catalog.open(asked.job.model);
  if (!plan.model->parts.contains("vae_encoder")) {
    throw Error(ErrorKind::model,
                core::sentence("{} has no vae_encoder, which makes latents of pictures.", plan.model->name),
                "Export one with scripts/export/model.py");
  }
  plan.seed = asked.job.seed;
  plan.tiling = asked.tiling;
  plan.one_latent = asked.one_latent;
  for (const std::string& file : asked.pictures) {
    plan.pictures.push_back(read_picture(asked.job, file, *plan.model));
    plan.pictures.back().index = plan.pictures.size() - 1;
  }
  if (plan.one_latent) check_one_size(plan, asked.pictures);
  return plan;
}

void encode(const EncodePlan& plan, EngineDoor& door, const Events& events, const EncodedCallback& on_latent) {
  door.begin();
  io::verify_parts(*plan.model, std::array<std::string, 1>{"vae_encoder"});
  std::vector<FittedPicture> pictures;
  for (const PictureInput& input : plan.pictures) {
    pictures.push_back(fitted(input.picture, input.job, plan.model->space.downscale));
    for (const std::string& note : pictures.back().notes) tell(events.note, note);
  }
  Engine& engine = door.engine();
  Latent latent;
  io::RunTimings timings;
  timings.read = plan.seconds;
  timings.engine = door.waited();
  const auto hand_over = [&](std::size_t first, std::size_t count) {
    EncodedPictures encoded = recorded(plan, latent, first, std::span(pictures).subspan(first, count));
    encoded.timings = timings;
    on_latent(encoded);
  };
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (!plan.one_latent) latent = {};
    Encoded encoded = engine.encode(*plan.model, pictures[i].image, plan.tiling, seed_of(plan, i));
    timings.parts += encoded.timings;
    core::append(latent, std::move(encoded.latent));
    if (!plan.one_latent) hand_over(i, 1);
  }
  if (plan.one_latent) hand_over(0, pictures.size());
}

}  // namespace lapis::pipeline
