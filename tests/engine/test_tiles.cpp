#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <catch2/catch.hpp>

#include "engine/tiles.hpp"

using namespace lapis::engine;

namespace {

constexpr Tiling small{8, 4, 1};

/// A smooth picture [1, 2, height, width].
at::Tensor slope(std::int64_t height, std::int64_t width) {
  return (at::arange(2 * height * width, at::kFloat) / 100).view({1, 2, height, width});
}

double largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

}  // namespace

TEST_CASE("tiles begin so that every cell is covered and neighbours overlap") {
  CHECK(tile_starts(5, small) == std::vector<std::int64_t>{0});
  CHECK(tile_starts(8, small) == std::vector<std::int64_t>{0});
  CHECK(tile_starts(9, small) == std::vector<std::int64_t>{0, 1});
  CHECK(tile_starts(12, small) == std::vector<std::int64_t>{0, 4});
  for (std::int64_t length = 9; length < 60; ++length) {
    const std::vector<std::int64_t> starts = tile_starts(length, small);
    CHECK(starts.front() == 0);
    CHECK(starts.back() == length - small.tile);
    for (std::size_t i = 1; i < starts.size(); ++i) CHECK(starts[i] - starts[i - 1] <= small.tile - small.overlap);
  }
}

TEST_CASE("what sees no further than its own cell comes out of tiles as it went in") {
  for (const auto& [height, width] : {std::pair(8, 8), std::pair(9, 30), std::pair(21, 5), std::pair(40, 17)}) {
    const at::Tensor input = slope(height, width);
    int calls = 0;
    const at::Tensor doubled = in_tiles(input, 1, 2, small, [&](const at::Tensor& tile) {
      ++calls;
      CHECK(tile.size(2) <= small.tile);
      CHECK(tile.size(3) <= small.tile);
      return tile.repeat_interleave(2, 2).repeat_interleave(2, 3);
    });
    CHECK((calls > 1) == (height > 8 || width > 8));
    CHECK(largest(doubled - input.repeat_interleave(2, 2).repeat_interleave(2, 3)) < 1e-4);
    const at::Tensor back = in_tiles(doubled, 2, 1, small, [](const at::Tensor& tile) {
      return tile.slice(2, 0, tile.size(2), 2).slice(3, 0, tile.size(3), 2);
    });
    CHECK(largest(back - input) < 1e-4);
  }
}

TEST_CASE("cells next to a cut count for nothing, and no step is left between tiles") {
  const auto spoiled = [](const at::Tensor& tile) {  // as if the outermost column of a tile could not be known
    at::Tensor out = tile.clone();
    out.select(3, tile.size(3) - 1).fill_(1000);
    return out;
  };
  const at::Tensor input = at::full({1, 1, 4, 20}, 1.0F);
  const at::Tensor made = in_tiles(input, 1, 1, small, spoiled);
  CHECK(largest(made.narrow(3, 0, 19) - 1) < 1e-6);
  CHECK(made[0][0][0][19].item<float>() == 1000);  // the picture's own edge is no cut
  float height = 0;
  const at::Tensor steps =
      in_tiles(input, 1, 1, small, [&](const at::Tensor& tile) { return at::full_like(tile, height += 1); });
  CHECK(largest(steps.diff(1, 3)) <= 0.5 + 1e-6);  // a step of 1 between tiles is spread over the band of 2
}

TEST_CASE("auto tiles what is larger than 1024 x 1024 pixels") {
  CHECK_FALSE(wants_tiles("auto", 128, 128));
  CHECK(wants_tiles("auto", 128, 129));
  CHECK(wants_tiles("on", 8, 8));
  CHECK_FALSE(wants_tiles("off", 2000, 2000));
}
