#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "core/latent/channel_statistics.hpp"

namespace lapis::core {
namespace {

TEST_CASE("statistics are those of the values, whatever their count") {
  for (const std::int64_t width : {1, 7, 8, 9, 37}) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(2, 3);
    const std::array<std::int64_t, 4> shape = {2, 3, 5, width};
    std::vector<float> values(static_cast<std::size_t>(2 * 3 * 5 * width));
    for (float& value : values) value = normal(random);
    const std::vector<ChannelStatistics> found = channel_statistics(values, shape);
    REQUIRE(found.size() == 3);
    const auto plane = static_cast<std::size_t>(5 * width);
    for (std::size_t c = 0; c < 3; ++c) {
      INFO(width << " wide, channel " << c);
      std::vector<double> own;
      for (const std::size_t start : {c * plane, (3 + c) * plane}) {
        for (std::size_t i = 0; i < plane; ++i) own.push_back(static_cast<double>(values[start + i]));
      }
      double mean = 0;
      for (const double value : own) mean += value / static_cast<double>(own.size());
      double squares = 0;
      for (const double value : own) squares += (value - mean) * (value - mean) / static_cast<double>(own.size());
      CHECK(found[c].mean == Approx(mean).epsilon(1e-12));
      CHECK(found[c].deviation == Approx(std::sqrt(squares)).epsilon(1e-9));
      CHECK(static_cast<double>(found[c].min) == *std::min_element(own.begin(), own.end()));
      CHECK(static_cast<double>(found[c].max) == *std::max_element(own.begin(), own.end()));
      CHECK(found[c].not_finite == 0);
    }
  }
}

TEST_CASE("what is no number is counted and left out") {
  std::vector<float> values(20, 1);
  values[0] = NAN;
  values[9] = INFINITY;
  values[18] = -INFINITY;
  values[19] = 3;
  values.insert(values.end(), 20, NAN);
  const std::vector<ChannelStatistics> found = channel_statistics(values, {1, 2, 4, 5});
  CHECK(found[0].not_finite == 3);
  CHECK(found[0].mean == Approx(19.0 / 17));
  CHECK(found[0].min == 1);
  CHECK(found[0].max == 3);
  CHECK(found[1].not_finite == 20);
  CHECK(found[1].mean == 0);
  CHECK(found[1].deviation == 0);
  CHECK(found[1].min == 0);
  CHECK(found[1].max == 0);
}

TEST_CASE("one value that is no number spoils no other, wherever it lies in a large plane") {
  for (const std::size_t place : {0UL, 1023UL, 1024UL, 2999UL, 3000UL}) {
    std::vector<float> values(3001, 2);
    values[place] = -NAN;
    const ChannelStatistics found = channel_statistics(values, {1, 1, 1, 3001}).front();
    CHECK(found.not_finite == 1);
    CHECK(found.mean == 2);
    CHECK(found.min == 2);
  }
}

TEST_CASE("the largest numbers are numbers") {
  constexpr float largest = std::numeric_limits<float>::max();
  const std::vector<float> values = {largest, -largest, 0, -0.0F, 1e-45F, -1e-45F, 1, -1};
  const ChannelStatistics found = channel_statistics(values, {1, 1, 1, 8}).front();
  CHECK(found.not_finite == 0);
  CHECK(found.min == -largest);
  CHECK(found.max == largest);
}

TEST_CASE("a constant channel deviates by nothing, however large it is") {
  const std::vector<float> values(1000, 12345.678F);
  CHECK(channel_statistics(values, {1, 1, 10, 100}).front().deviation == Approx(0).margin(1e-2));
}

}  // namespace
}  // namespace lapis::core
