// Where a part lives.
#pragma once

#include <ATen/core/Tensor.h>
#include <array>

#include "lapis/part_kind.hpp"

namespace lapis::engine {

/// Where tensors live and in which floating type a part computes.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;

  bool operator==(const Placement&) const = default;
};

/// The placement of each part.
class Placements {
 public:
  Placements() = default;

  /// All parts in one place, those of the VAE in a dtype of their own.
  Placements(Placement all, at::ScalarType vae_dtype) {
    for (const PartKindRow& row : part_kinds) {
      const bool is_vae = row.stage == PartStage::encoding || row.stage == PartStage::decoding;
      parts_[index_of(row.kind)] = {all.device, is_vae ? vae_dtype : all.dtype};
    }
  }

  Placement of(PartKind kind) const { return parts_[index_of(kind)]; }

 private:
  std::array<Placement, part_kinds.size()> parts_;
};

}  // namespace lapis::engine
