#include "io/latent_statistics.hpp"

#include <cstdint>

#include "core/units.hpp"
#include "io/latent_container.hpp"
#include "io/latent_metadata.hpp"
#include "io/latent_numbers.hpp"

namespace lapis::io {
namespace {

TensorView tensor_of(std::span<const std::byte> file, const std::string& name) {
  const LatentContainer container = open_latent_container(file, name);
  if (container.form != LatentForm::lapis) return container.tensor;
  return parse_latent_container(file, name).tensors.at(lapis_tensor);
}

bool is_aligned(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data) % alignof(float) == 0; }

}  // namespace

std::vector<core::ChannelStatistics> read_statistics(std::span<const std::byte> file, const std::string& name,
                                                     const ForeignPassport& passport) {
  const TensorView tensor = tensor_of(file, name);
  const auto& shape = passport.passport.shape;
  if (passport.layout == core::Layout::packed) {
    const std::vector<float> tokens = read_numbers(tensor, name, /*any_number=*/true);
    return core::channel_statistics(core::unpacked(tokens, shape, packing_of(passport.passport.space)), shape);
  }
  if (tensor.dtype == Dtype::f32 && is_aligned(tensor.data.data())) {
    const auto* numbers = reinterpret_cast<const float*>(tensor.data.data());
    return core::channel_statistics({numbers, tensor.data.size() / sizeof(float)}, shape);
  }
  return core::channel_statistics(read_numbers(tensor, name, /*any_number=*/true), shape);
}

}  // namespace lapis::io
