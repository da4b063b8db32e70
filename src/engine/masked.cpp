#include "engine/masked.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/where.h>
#include <utility>

#include "core/sampling/samplers/sampler_context.hpp"

namespace lapis::engine {

at::Tensor cell_weights(const Mask& mask, int downscale, at::Device device) {
  const int height = mask.height / downscale;
  const int width = mask.width / downscale;
  at::Tensor weights = at::empty({1, 1, height, width}, at::kFloat);
  float* to = weights.mutable_data_ptr<float>();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto row = static_cast<std::size_t>(y * downscale) * static_cast<std::size_t>(mask.width);
      *to++ = static_cast<float>(mask.values[row + static_cast<std::size_t>(x * downscale)]) / 255.0F;
    }
  }
  return weights.to(device);
}

MaskedDenoiser::MaskedDenoiser(Inner inner, at::Tensor original, at::Tensor noise, at::Tensor weights, Path path,
                               bool from_noise)
    : inner_(std::move(inner)),
      original_(std::move(original)),
      noise_(std::move(noise)),
      weights_(std::move(weights)),
      kept_(weights_ == 0),
      path_(path),
      bare_(from_noise) {}

at::Tensor MaskedDenoiser::operator()(const at::Tensor& x, double sigma) {
  const bool bare = std::exchange(bare_, false);
  const at::Tensor seen = bare ? x : at::where(kept_, core::alpha_of(path_, sigma) * original_ + sigma * noise_, x);
  return weights_ * inner_(seen, sigma) + (1 - weights_) * original_;
}

}  // namespace lapis::engine
