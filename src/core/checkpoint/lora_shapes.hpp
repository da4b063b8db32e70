// What the factors of one module of a LoRA multiply to, from their shapes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "lapis/attachments.hpp"

namespace lapis::core {

/// A module's tensors by role.
using LoraTensors = std::map<std::string, const TensorShape*>;

/// The tensors of a module that make up what is added to its weight, and DoRA's magnitude.
struct LoraFactors {
  DeltaKind kind = DeltaKind::lora;
  LoraTensors tensors;
};

/// What the factors multiply to: a matrix, a kernel's places among its columns.
struct LoraProduct {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::optional<std::int64_t> rank;  ///< none where nothing was decomposed
};

/// The factors among the tensors of a module; none where nothing of them is for its weight.
std::optional<LoraFactors> lora_factors(const LoraTensors& tensors);

/// What factors multiply to. Throws Error{input}, beginning with `what`, where one is lacking or they do not go
/// together.
LoraProduct product_of(const LoraFactors& factors, const std::string& what);

}  // namespace lapis::core
