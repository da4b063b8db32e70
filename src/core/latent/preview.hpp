// What a latent shows, without any model.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/family/spaces.hpp"
#include "lapis/image.hpp"

namespace lapis::core {

/// The lineage whose colours show values of `space`; null where they are not known.
const LineageRow* find_colours(const Space& space);

/// The space whose model values a lineage's colours are for.
Space coloured_space(const LineageRow& lineage);

/// Picture `index` of a batch of latents in model units of `coloured_space`, one pixel a cell, by the colours of the
/// channels (`LineageRow::rgb`, not empty): rgb = (sum + bias + 1) / 2.
Image preview(std::span<const float> values, const std::array<std::int64_t, 4>& shape, int index,
              const LineageRow& lineage);

}  // namespace lapis::core
