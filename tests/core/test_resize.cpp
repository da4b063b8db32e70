#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <utility>

#include "../pattern.hpp"
#include "core/picture/resize.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

Filter filter_named(const std::string& name) {
  const std::array<std::pair<const char*, Filter>, 4> names = {{{"box", Filter::box},
                                                                {"bilinear", Filter::bilinear},
                                                                {"bicubic", Filter::bicubic},
                                                                {"lanczos", Filter::lanczos}}};
  return std::find_if(names.begin(), names.end(), [&](const auto& row) { return row.first == name; })->second;
}

}  // namespace

TEST_CASE("every sample of a resized picture equals Pillow's") {
  const nlohmann::json cases = test::golden_cases("resize");
  REQUIRE(cases.size() >= 80);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.dump().substr(0, 120));
    const auto from = golden.at("from").get<std::array<int, 2>>();
    const auto to = golden.at("to").get<std::array<int, 2>>();
    std::optional<Box> box;
    if (!golden.at("box").is_null()) {
      const auto sides = golden.at("box").get<std::array<double, 4>>();
      box = Box{sides[0], sides[1], sides[2], sides[3]};
    }
    const Pixels source = test::pattern(from[0], from[1], golden.at("channels").get<int>());
    const Filter filter = filter_named(golden.at("filter"));
    const Pixels found = resized(source, to[0], to[1], filter, box);
    CHECK(found.width == to[0]);
    CHECK(found.height == to[1]);
    std::vector<std::uint8_t> expected = test::from_hex(golden.at("bytes"));
    CHECK(found.bytes == expected);
    ++expected[expected.size() / 2];
    CHECK(found.bytes != expected);
  }
}

TEST_CASE("another kernel gives other samples") {
  const Pixels source = test::pattern(13, 9, 3);
  CHECK(resized(source, 26, 18, Filter::lanczos).bytes != resized(source, 26, 18, Filter::bicubic).bytes);
}

TEST_CASE("a size that is there already leaves every sample as it is") {
  const Pixels source = test::pattern(13, 9, 3);
  CHECK(resized(source, 13, 9, Filter::lanczos) == source);
}
