#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "core/picture/patterns.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every pattern fills its size, shows every channel, and is the same each time") {
  std::set<std::vector<std::uint8_t>> seen;
  for (const PatternRow& row : patterns()) {
    INFO(row.name);
    const Image image = row.draw(96, 64);
    CHECK((image.width == 96 && image.height == 64));
    REQUIRE(image.rgb.size() == 96u * 64u * 3u);
    CHECK(row.draw(96, 64).rgb == image.rgb);
    CHECK(seen.insert(image.rgb).second);
    for (std::size_t c = 0; c < 3; ++c) {
      std::set<std::uint8_t> values;
      for (std::size_t i = c; i < image.rgb.size(); i += 3) values.insert(image.rgb[i]);
      CHECK(*values.rbegin() - *values.begin() > 80);
    }
  }
  CHECK(seen.size() >= 4);
}

TEST_CASE("a pattern has the right colours in its corners") {
  const auto find = [](const std::string& name) {
    return std::find_if(patterns().begin(), patterns().end(), [&](const PatternRow& row) { return row.name == name; });
  };
  const Image ramps = find("ramps")->draw(64, 64);
  CHECK(std::vector<int>(ramps.rgb.begin(), ramps.rgb.begin() + 3) == std::vector<int>{0, 0, 255});
  CHECK(std::vector<int>(ramps.rgb.end() - 3, ramps.rgb.end()) == std::vector<int>{255, 255, 0});
  const Image bars = find("bars")->draw(64, 64);
  CHECK(std::vector<int>(bars.rgb.begin(), bars.rgb.begin() + 3) == std::vector<int>{255, 255, 255});
  CHECK(std::vector<int>(bars.rgb.begin() + 63 * 3, bars.rgb.begin() + 64 * 3) == std::vector<int>{0, 0, 0});
}
