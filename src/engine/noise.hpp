// Where every picture begins.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>

namespace lapis::engine {

/// Unit normal numbers [1, channels, height, width], fp32 on the CPU whatever the device, from a generator of the
/// picture's own: neither batch size nor device changes a picture's noise. The same numbers as
/// torch.randn((1, channels, height, width), generator=torch.Generator().manual_seed(seed)).
at::Tensor draw_noise(std::int64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width);

}  // namespace lapis::engine
