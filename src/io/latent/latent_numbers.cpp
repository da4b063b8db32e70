#include "io/latent/latent_numbers.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/checkpoint/lora_shapes.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/half.hpp"
#include "io/latent/latent_metadata.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie");

/// Whether no value is NaN or infinite. One pass without branches, which compilers turn into vector code.
bool all_finite(std::span<const float> values) {
  std::uint32_t highest = 0;
  for (const float value : values) highest = std::max(highest, std::bit_cast<std::uint32_t>(value) & 0x7FFF'FFFFU);
  return highest < 0x7F80'0000U;
}

bool is_finite(float value) { return (std::bit_cast<std::uint32_t>(value) & 0x7F80'0000U) != 0x7F80'0000U; }

/// "3 numbers that are not finite (NaN or Inf), the first at [0, 2, 5, 7]".
std::string infinite_numbers(std::span<const float> values, std::span<const std::int64_t> shape) {
  const auto first = std::find_if_not(values.begin(), values.end(), is_finite);
  const auto count = std::count_if(first, values.end(), [](float value) { return !is_finite(value); });
  auto offset = static_cast<std::int64_t>(first - values.begin());
  std::vector<std::int64_t> place(shape.begin(), shape.end());
  for (std::size_t i = shape.size(); i-- > 0;) {
    place[i] = offset % shape[i];
    offset /= shape[i];
  }
  return core::sentence("{} that {} not finite (NaN or Inf), the first at {}",
                        core::count_text(static_cast<std::uint64_t>(count), "number"), count == 1 ? "is" : "are",
                        core::shape_text(place));
}

template <typename Convert>
std::vector<float> widened(std::span<const std::byte> data, const Convert& convert) {
  std::vector<float> values(data.size() / sizeof(std::uint16_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, data.data() + i * sizeof bits, sizeof bits);
    values[i] = convert(bits);
  }
  return values;
}

template <typename Convert>
void narrow(std::span<const float> values, std::vector<std::byte>& bytes, const Convert& convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t bits = convert(values[i]);
    std::memcpy(bytes.data() + i * sizeof bits, &bits, sizeof bits);
  }
}

float rounded(float value, LatentDtype dtype) {
  switch (dtype) {
    case LatentDtype::f32: break;
    case LatentDtype::f16: return from_f16(to_f16(value));
    case LatentDtype::bf16: return from_bf16(to_bf16(value));
  }
  return value;
}

void check_writable_numbers(std::span<const float> values, LatentDtype dtype) {
  const bool fits =
      dtype == LatentDtype::f32 ? all_finite(values) : std::all_of(values.begin(), values.end(), [dtype](float value) {
        return is_finite(rounded(value, dtype));
      });
  if (fits) return;
  if (all_finite(values)) {
    throw Error(ErrorKind::numeric, core::sentence("the latent has numbers that are too large for {}. Write it as f32",
                                                   dtype_name(tensor_dtype(dtype))));
  }
  throw Error(ErrorKind::numeric, "the latent has numbers that are not finite (NaN or Inf); it is not written");
}

}  // namespace

Safetensors parse_latent_container(std::span<const std::byte> file, const std::string& name) {
  std::uint64_t header = 0;
  if (file.size() >= sizeof header) std::memcpy(&header, file.data(), sizeof header);
  if (header > longest_latent_header && header <= file.size()) {
    throw Error(ErrorKind::input,
                core::sentence("{} has a header of {} bytes; a latent's has 16,000,000 at most, metadata included.",
                               name, header),
                latent_advice(name));
  }
  if (name == standard_input) return parse_safetensors(file, name, ErrorKind::input, latent_advice(name));
  return parse_safetensors(file, name, ErrorKind::input);
}

LatentDtype latent_dtype(const TensorView& tensor, const std::string& name) {
  for (const LatentDtype dtype : {LatentDtype::f32, LatentDtype::f16, LatentDtype::bf16}) {
    if (tensor_dtype(dtype) == tensor.dtype) return dtype;
  }
  throw Error(ErrorKind::input,
              core::sentence("{} has a tensor of {}; latents are F32, F16 or BF16.", name, dtype_name(tensor.dtype)),
              "Save it as one of these: tensor.float()");
}

std::array<std::int64_t, 4> latent_shape(const TensorView& tensor, const std::string& name) {
  std::array<std::int64_t, 4> shape{};
  if (tensor.shape.size() != shape.size()) {
    fail_latent(name, "has a tensor of the shape {}; a latent is [batch, channels, height, width]",
                core::shape_text(tensor.shape));
  }
  std::copy(tensor.shape.begin(), tensor.shape.end(), shape.begin());
  return shape;
}

Dtype tensor_dtype(LatentDtype dtype) {
  switch (dtype) {
    case LatentDtype::f16: return Dtype::f16;
    case LatentDtype::bf16: return Dtype::bf16;
    case LatentDtype::f32: break;
  }
  return Dtype::f32;
}

std::size_t number_size(LatentDtype dtype) { return dtype == LatentDtype::f32 ? sizeof(float) : sizeof(std::uint16_t); }

std::vector<float> read_numbers(const TensorView& tensor, const std::string& name, bool any_number) {
  std::vector<float> values;
  switch (latent_dtype(tensor, name)) {
    case LatentDtype::f16: values = widened(tensor.data, from_f16); break;
    case LatentDtype::bf16: values = widened(tensor.data, from_bf16); break;
    case LatentDtype::f32:
      values.resize(tensor.data.size() / sizeof(float));
      if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
      break;
  }
  if (any_number || all_finite(values)) return values;
  throw Error(ErrorKind::input,
              core::sentence("{} holds {}: no picture can come of them.", name, infinite_numbers(values, tensor.shape)),
              "Make it again, in fp32 if it was made in fp16.");
}

std::vector<std::byte> number_bytes(std::span<const float> values, LatentDtype dtype) {
  check_writable_numbers(values, dtype);
  std::vector<std::byte> bytes(values.size() * number_size(dtype));
  switch (dtype) {
    case LatentDtype::f16: narrow(values, bytes, to_f16); break;
    case LatentDtype::bf16: narrow(values, bytes, to_bf16); break;
    case LatentDtype::f32:
      if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
      break;
  }
  return bytes;
}

void round_numbers(std::span<float> values, LatentDtype dtype) {
  if (dtype == LatentDtype::f32) return;
  for (float& value : values) value = rounded(value, dtype);
}

}  // namespace lapis::io
