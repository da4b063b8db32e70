#include "io/latent/latent_statistics.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <numeric>

#include "core/latent/units.hpp"
#include "io/latent/latent_container.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/latent/latent_numbers.hpp"

namespace lapis::io {
namespace {

TensorView tensor_of(std::span<const std::byte> file, const std::string& name) {
  const LatentContainer container = open_latent_container(file, name);
  if (container.format != LatentFormat::lapis) return container.tensor;
  return parse_latent_container(file, name).tensors.at(lapis_tensor);
}

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// Some rows of a tensor, laid together.
struct Sample {
  std::vector<std::byte> bytes;
  TensorView view;
  std::int64_t rows = 0;  ///< of each of the tensor's planes
};

/// Every `step`-th row of [planes, rows, a row's elements].
Sample sampled(const TensorView& tensor, std::int64_t planes, std::int64_t rows, std::int64_t step) {
  const auto row_bytes = static_cast<std::int64_t>(tensor.data.size()) / (planes * rows);
  Sample sample;
  sample.rows = (rows + step - 1) / step;
  sample.bytes.reserve(static_cast<std::size_t>(planes * sample.rows * row_bytes));
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (std::int64_t row = 0; row < rows; row += step) {
      const auto from = static_cast<std::size_t>((plane * rows + row) * row_bytes);
      const std::span<const std::byte> bytes = tensor.data.subspan(from, static_cast<std::size_t>(row_bytes));
      sample.bytes.insert(sample.bytes.end(), bytes.begin(), bytes.end());
    }
  }
  const std::int64_t element_size = static_cast<std::int64_t>(tensor.data.size()) / element_count(tensor.shape);
  sample.view = {tensor.dtype, {static_cast<std::int64_t>(sample.bytes.size()) / element_size}, sample.bytes};
  return sample;
}

bool is_aligned(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0; }

}  // namespace

LatentStatistics read_statistics(std::span<const std::byte> file, const std::string& name,
                                 const ForeignPassport& passport, std::int64_t most) {
  TensorView tensor = tensor_of(file, name);
  std::array<std::int64_t, 4> shape = passport.passport.shape;
  const bool packed = passport.layout == core::Layout::packed;
  const int packing = packed ? packing_of(passport.passport.space) : 1;
  const std::int64_t count = shape[0] * shape[1] * shape[2] * shape[3];
  LatentStatistics result;
  Sample sample;
  if (count > most) {
    result.row_step = (count + most - 1) / most;
    const std::int64_t tokens = shape[2] / packing * (shape[3] / packing);
    sample = sampled(tensor, packed ? shape[0] : shape[0] * shape[1], packed ? tokens : shape[2], result.row_step);
    tensor = sample.view;
    // Tokens that were left stand side by side, as a picture one token high.
    shape[2] = packed ? packing : sample.rows;
    if (packed) shape[3] = packing * sample.rows;
  }
  if (packed) {
    const std::vector<float> tokens = read_numbers(tensor, name, /*any_number=*/true);
    result.channels = core::channel_statistics(core::unpacked(tokens, shape, packing), shape);
  } else if (tensor.dtype == Dtype::f32 && is_aligned(tensor.data.data())) {
    const auto* numbers = reinterpret_cast<const float*>(tensor.data.data());
    result.channels = core::channel_statistics({numbers, tensor.data.size() / sizeof(float)}, shape);
  } else {
    result.channels = core::channel_statistics(read_numbers(tensor, name, /*any_number=*/true), shape);
  }
  return result;
}

}  // namespace lapis::io
