#include "engine/vae.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/round.h>
#include <algorithm>
#include <cstring>

#include "core/text/sentence.hpp"
#include "engine/tiles.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

bool is_flat(const Image& image) {
  const std::size_t pixels = image.rgb.size() / 3;
  for (std::size_t i = 1; i < pixels; ++i) {
    if (!std::equal(image.rgb.begin(), image.rgb.begin() + 3, image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i))) {
      return false;
    }
  }
  return true;
}

/// 8 bit to [1, 3, H, W] in [-1, 1], in the steps in which VaeImageProcessor of diffusers rounds.
at::Tensor to_picture(const Image& image) {
  at::Tensor bytes = at::empty({image.height, image.width, 3}, at::kByte);
  std::memcpy(bytes.mutable_data_ptr(), image.rgb.data(), image.rgb.size());
  return (2.0 * (bytes.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat) / 255.0) - 1.0).contiguous();
}

/// One number for each channel, [1, C, 1, 1], as fp32.
at::Tensor by_channel(const std::vector<double>& numbers) {
  at::Tensor values = at::empty({1, static_cast<std::int64_t>(numbers.size()), 1, 1}, at::kFloat);
  std::transform(numbers.begin(), numbers.end(), values.mutable_data_ptr<float>(),
                 [](double number) { return static_cast<float>(number); });
  return values;
}

}  // namespace

at::Tensor to_model_units(const at::Tensor& raw, const Space& space) {
  const at::Tensor centred = space.mean.empty() ? raw - space.shift : raw - by_channel(space.mean);
  const at::Tensor scaled = centred * space.scale;
  return space.deviation.empty() ? scaled : scaled / by_channel(space.deviation);
}

at::Tensor to_vae_units(const at::Tensor& latent, const Space& space) {
  const at::Tensor spread = space.deviation.empty() ? latent : latent * by_channel(space.deviation);
  const at::Tensor scaled = spread / space.scale;
  return space.mean.empty() ? scaled + space.shift : scaled + by_channel(space.mean);
}

at::Tensor decode(LoadedPart& decoder, const Space& space, const at::Tensor& latent, bool tiled) {
  const Placement placement = decoder.placement();
  const auto run = [&](const at::Tensor& raw) {
    return decoder.run({raw.to(placement.device, placement.dtype)}).front().to(at::kCPU, at::kFloat);
  };
  const at::Tensor raw = to_vae_units(latent, space);
  return tiled ? in_tiles(raw, 1, space.downscale, {}, run) : run(raw);
}

Moments encode(LoadedPart& encoder, const Space& space, const Image& image, bool tiled) {
  const Placement placement = encoder.placement();
  const auto run = [&](const at::Tensor& picture) {
    const std::vector<at::Tensor> moments = encoder.run({picture.to(placement.device, placement.dtype)});
    return at::cat({moments[0], moments[1]}, 1).to(at::kCPU, at::kFloat);
  };
  const at::Tensor picture = to_picture(image);
  const at::Tensor both = tiled ? in_tiles(picture, space.downscale, 1, {}, run) : run(picture);
  const std::int64_t channels = both.size(1) / 2;
  const at::Tensor log_variance = both.narrow(1, channels, channels).clamp(-30, 20);
  return {both.narrow(1, 0, channels), at::exp(0.5 * log_variance)};
}

at::Tensor sampled(const Moments& moments, const Space& space, Noise& noise) {
  return to_model_units(moments.mean + moments.deviation * noise.draw(moments.mean.sizes()), space);
}

bool is_finite(const at::Tensor& values) { return at::isfinite(values).all().item<bool>(); }

Image to_image(const at::Tensor& picture) {
  if (!is_finite(picture)) {
    throw Error(ErrorKind::numeric,
                core::sentence("the decoded picture holds NaN or Inf; nothing was saved. Try {dtype} fp32"));
  }
  const at::Tensor bytes =
      at::round((picture[0] / 2 + 0.5).clamp(0, 1) * 255).to(at::kByte).permute({1, 2, 0}).contiguous();
  Image image;
  image.height = static_cast<int>(bytes.size(0));
  image.width = static_cast<int>(bytes.size(1));
  image.rgb.resize(static_cast<std::size_t>(bytes.numel()));
  std::memcpy(image.rgb.data(), bytes.const_data_ptr(), image.rgb.size());
  if (is_flat(image)) {
    throw Error(
        ErrorKind::numeric,
        core::sentence(
            "the decoded picture is one flat colour; nothing was saved. Try another {dtype}, seed or guidance"));
  }
  return image;
}

}  // namespace lapis::engine
