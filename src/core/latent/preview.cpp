#include "core/latent/preview.hpp"

#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <vector>

namespace lapis::core {
namespace {

std::uint8_t level(double unit) {
  if (!(unit > 0)) return 0;  // NaN too
  return static_cast<std::uint8_t>(unit < 1 ? std::lround(unit * 255) : 255);
}

}  // namespace

const LineageRow* find_colours(const Space& space) {
  const LineageRow* lineage = find_lineage(space.lineage);
  if (lineage == nullptr || lineage->rgb.empty()) return nullptr;
  return same_values(coloured_space(*lineage), space) ? lineage : nullptr;
}

Space coloured_space(const LineageRow& lineage) {
  Space space = find_space(lineage.space)->space;
  space.lineage = lineage.name;
  return space;
}

Image preview(std::span<const float> values, const std::array<std::int64_t, 4>& shape, int index,
              const LineageRow& lineage) {
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto cells = static_cast<std::size_t>(shape[2] * shape[3]);
  assert(lineage.rgb.size() == channels && index < shape[0]);
  const float* planes = values.data() + static_cast<std::size_t>(index) * channels * cells;
  Image image{static_cast<int>(shape[3]), static_cast<int>(shape[2]), std::vector<std::uint8_t>(cells * 3)};
  for (std::size_t cell = 0; cell < cells; ++cell) {
    std::array<double, 3> sum = lineage.rgb_bias;
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t colour = 0; colour < 3; ++colour) {
        sum[colour] += lineage.rgb[c][colour] * static_cast<double>(planes[c * cells + cell]);
      }
    }
    for (std::size_t colour = 0; colour < 3; ++colour) image.rgb[cell * 3 + colour] = level((sum[colour] + 1) / 2);
  }
  return image;
}

}  // namespace lapis::core
