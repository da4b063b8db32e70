#include "engine/vae.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/round.h>
#include <algorithm>
#include <cstring>

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

}  // namespace

at::Tensor decode(LoadedPart& decoder, const Space& space, const at::Tensor& latent) {
  const Placement placement = decoder.placement();
  const at::Tensor raw = latent / space.scale + space.shift;
  return decoder.run({raw.to(placement.device, placement.dtype)}).front().to(at::kCPU, at::kFloat);
}

bool is_finite(const at::Tensor& values) { return at::isfinite(values).all().item<bool>(); }

Image to_image(const at::Tensor& picture) {
  if (!is_finite(picture)) {
    throw Error(ErrorKind::numeric, "the decoded picture holds NaN or Inf; nothing was saved. Try --dtype fp32");
  }
  const at::Tensor bytes =
      at::round((picture[0] / 2 + 0.5).clamp(0, 1) * 255).to(at::kByte).permute({1, 2, 0}).contiguous();
  Image image;
  image.height = static_cast<int>(bytes.size(0));
  image.width = static_cast<int>(bytes.size(1));
  image.rgb.resize(static_cast<std::size_t>(bytes.numel()));
  std::memcpy(image.rgb.data(), bytes.const_data_ptr(), image.rgb.size());
  if (is_flat(image)) {
    throw Error(ErrorKind::numeric,
                "the decoded picture is one flat colour; nothing was saved. Try another --dtype, seed or guidance");
  }
  return image;
}

}  // namespace lapis::engine
