#include "pipeline/encode.hpp"

#include <array>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
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
                "one latent holds pictures of one size; " + names.front() + " comes to " + core::size_text(first) +
                    " pixels, " + names[i] + " to " + core::size_text(size) + ".",
                "Say the size (-W and -H), or give each its own file: -o \"{name}.safetensors\"");
  }
}

/// Picture i of a batch draws from a generator of its own, as when a batch is rendered.
std::optional<std::uint64_t> seed_of(const EncodePlan& plan, std::size_t index) {
  if (!plan.seed) return std::nullopt;
  return *plan.seed + plan.pictures[index].index;
}

/// The latent of `count` pictures from `first` on, with what is recorded of it.
EncodedPictures recorded(const EncodePlan& plan, const Latent& latent, std::size_t first, std::size_t count) {
  EncodedPictures encoded;
  encoded.first = plan.pictures[first].index;
  encoded.size = plan.pictures[first].size();
  for (std::size_t i = first; i < first + count; ++i) {
    encoded.pictures.push_back(*plan.pictures[i].job.image);
    const std::vector<std::string>& notes = plan.pictures[i].source.notes();
    encoded.notes.insert(encoded.notes.end(), notes.begin(), notes.end());
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

EncodePlan plan_encode(const EncodeAsked& asked, ModelCatalog& catalog) {
  if (asked.job.seed) {
    const auto problem = core::seed_problem("--seed", *asked.job.seed, asked.pictures.size());
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
  for (const std::string& name : asked.pictures) {
    Job job = asked.job;
    job.image = name;
    job.strength = 1;  // nothing is denoised: 1 suits every model
    StartPicture source(job, *plan.model);
    ResolvedJob resolved = core::resolve(job, *plan.model, 0);
    plan.pictures.push_back({std::move(source), std::move(resolved), plan.pictures.size()});
  }
  if (plan.one_latent) check_one_size(plan, asked.pictures);
  return plan;
}

void encode(EncodePlan plan, EngineDoor& door, const Events& events, const EncodedCallback& on_latent) {
  door.begin();
  io::verify_parts(*plan.model, std::array<std::string, 1>{"vae_encoder"});
  std::vector<Image> images;
  for (PictureInput& picture : plan.pictures) {
    images.push_back(picture.source.fitted(picture.job, plan.model->space.downscale).image);
    for (const std::string& note : picture.source.notes()) tell(events.note, note);
  }
  Engine& engine = door.engine();
  Latent latent;
  Timings timings;
  const auto hand_over = [&](std::size_t first, std::size_t count) {
    EncodedPictures encoded = recorded(plan, latent, first, count);
    encoded.timings = timings;
    on_latent(encoded);
  };
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (!plan.one_latent) latent = {};
    Encoded encoded = engine.encode(*plan.model, images[i], plan.tiling, seed_of(plan, i));
    timings += encoded.timings;
    core::append(latent, std::move(encoded.latent));
    if (!plan.one_latent) hand_over(i, 1);
  }
  if (plan.one_latent) hand_over(0, images.size());
}

}  // namespace lapis::pipeline
