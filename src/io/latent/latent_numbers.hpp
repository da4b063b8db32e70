// A latent's numbers as bytes, and the container they lie in: what the formats of latents have in common.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/file/safetensors.hpp"
#include "lapis/latent.hpp"

namespace lapis::io {

/// Reads the container of a latent as `parse_safetensors` does; a header longer than latents need is refused unread.
Safetensors parse_latent_container(std::span<const std::byte> file, const std::string& name);

/// The tensor's dtype and shape, if a latent can have them; else Error{input}.
LatentDtype latent_dtype(const TensorView& tensor, const std::string& name);
std::array<std::int64_t, 4> latent_shape(const TensorView& tensor, const std::string& name);

/// The type that a tensor of such numbers has in safetensors.
Dtype tensor_dtype(LatentDtype dtype);

/// Bytes of one number.
std::size_t number_size(LatentDtype dtype);

/// The numbers of a tensor that has a latent's dtype. NaN and Inf are Error{input} unless `any_number`: how many there
/// are, and where the first one is.
std::vector<float> read_numbers(const TensorView& tensor, const std::string& name, bool any_number);

/// `values` in little-endian bytes. Throws Error{numeric} for one that is not finite, or that the dtype cannot hold.
std::vector<std::byte> number_bytes(std::span<const float> values, LatentDtype dtype);

/// Each value as it would come back from a file of this dtype.
void round_numbers(std::span<float> values, LatentDtype dtype);

}  // namespace lapis::io
