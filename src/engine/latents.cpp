#include "engine/latents.hpp"

#include <ATen/ops/empty.h>
#include <algorithm>
#include <c10/core/InferenceMode.h>
#include <cstring>

#include "core/family/spaces.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "engine/autoencoder.hpp"
#include "engine/vae.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

std::string side(const Space& space) {
  return core::sentence("{} ({})", core::space_name(space), core::space_numbers(space));
}

/// "the latent's numbers are of sd15:a (...), and those of tiny of sdxl:b (...)".
std::string both_sides(const Latent& latent, const Model& model) {
  return core::sentence("the latent's numbers are of {}, and {} reads those of {}", side(latent.space), model.name,
                        side(model.space));
}

void require_shape(const Latent& latent) {
  std::int64_t count = 1;
  for (const std::int64_t size : latent.shape) count *= size;
  const bool remembers_as_many =
      std::all_of(latent.memory.begin(), latent.memory.end(),
                  [&](const std::vector<float>& values) { return values.size() == latent.values.size(); });
  if (count > 0 && count == static_cast<std::int64_t>(latent.values.size()) && remembers_as_many) return;
  throw Error(ErrorKind::internal, "the shape of a latent and its values do not agree");
}

/// What parts and VAE have taken since `before`.
Timings spent(Parts& parts, Autoencoder& vae, const Timings& before) {
  const Timings now = parts.module_seconds();
  Timings timings;
  timings.load = parts.take_load_seconds();
  double modules = 0;
  for (const PartKindRow& row : part_kinds) {
    timings.of(row.kind) = now.of(row.kind) - before.of(row.kind);
    modules += timings.of(row.kind);
  }
  timings.pixels = vae.take_seconds() - modules;
  return timings;
}

}  // namespace

at::Tensor picture_of(const std::vector<float>& values, const std::array<std::int64_t, 4>& shape, int index) {
  at::Tensor picture = at::empty({1, shape[1], shape[2], shape[3]}, at::kFloat);
  const auto count = static_cast<std::size_t>(picture.numel());
  std::memcpy(picture.mutable_data_ptr(), values.data() + count * static_cast<std::size_t>(index), picture.nbytes());
  return picture;
}

std::vector<float> values_of(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
  const auto* from = plain.const_data_ptr<float>();
  return {from, from + plain.numel()};
}

Latent latent_of(const at::Tensor& values, const Space& space) {
  Latent latent;
  latent.space = space;
  for (std::size_t i = 0; i < 4; ++i) latent.shape[i] = values.size(static_cast<std::int64_t>(i));
  latent.values = values_of(values);
  return latent;
}

void require_space(const Latent& latent, const Model& model) {
  require_shape(latent);
  if (core::same_numbers(latent.space, model.space) && latent.shape[1] == model.space.channels) return;
  throw Error(ErrorKind::incompatible, core::sentence("{}.", both_sides(latent, model)),
              "Take a model of the latent's space");
}

Decoded decoded(Parts& parts, const Latent& latent, const std::string& tiling, bool any_space) {
  const Model& model = parts.model();
  if (latent.sigma > 0) {
    throw Error(
        ErrorKind::incompatible,
        core::sentence("the latent is partially denoised: after {} steps it stands at sigma {} and shows noise.",
                       latent.step, core::number_text(latent.sigma)),
        core::sentence("Go on with it: {lapis generate} {init_latent} FILE"));
  }
  if (!any_space) require_space(latent, model);
  require_shape(latent);
  if (latent.shape[1] != model.space.channels) {
    throw Error(ErrorKind::incompatible,
                core::sentence("{}: {} channels do not go through a decoder of {}", both_sides(latent, model),
                               latent.shape[1], model.space.channels));
  }
  const c10::InferenceMode inference;
  const Timings before = parts.module_seconds();
  parts.take_load_seconds();
  Autoencoder vae(parts, tiling);
  Decoded result;
  for (int i = 0; i < static_cast<int>(latent.shape[0]); ++i) {
    result.images.push_back(vae.decoded(picture_of(latent.values, latent.shape, i)));
  }
  result.timings = spent(parts, vae, before);
  return result;
}

Encoded encoded(Parts& parts, const Image& image, const std::string& tiling, std::optional<std::uint64_t> seed) {
  const Space& space = parts.model().space;
  if (image.width % space.downscale != 0 || image.height % space.downscale != 0) {
    throw Error(ErrorKind::usage, core::sentence("a picture of {} x {} pixels does not divide into cells of {} x {}",
                                                 image.width, image.height, space.downscale, space.downscale));
  }
  const c10::InferenceMode inference;
  const Timings before = parts.module_seconds();
  parts.take_load_seconds();
  Autoencoder vae(parts, tiling);
  const Moments moments = vae.encoded(image);
  Encoded result;
  if (seed) {
    Noise noise(*seed);
    result.latent = latent_of(sampled(moments, space, noise), space);
  } else {
    result.latent = latent_of(to_model_units(moments.mean, space), space);
  }
  result.timings = spent(parts, vae, before);
  return result;
}

}  // namespace lapis::engine
