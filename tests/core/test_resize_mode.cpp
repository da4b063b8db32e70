#include <array>
#include <catch2/catch.hpp>

#include "../pattern.hpp"
#include "../sample_model.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/text/names.hpp"
#include "golden.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("a picture is stretched, cropped and padded as diffusers' VaeImageProcessor does") {
  const nlohmann::json cases = test::golden_cases("fit");
  REQUIRE(cases.size() >= 15);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.at("fit") << golden.at("from") << golden.at("to"));
    const auto from = golden.at("from").get<std::array<int, 2>>();
    const auto to = golden.at("to").get<std::array<int, 2>>();
    const Pixels source = test::pattern(from[0], from[1], golden.at("channels").get<int>());
    const Pixels found = fitted(source, to[0], to[1], find_resize_mode(golden.at("fit").get<std::string>()).mode);
    std::vector<std::uint8_t> expected = test::from_hex(golden.at("bytes"));
    CHECK(found.bytes == expected);
    ++expected[expected.size() / 2];
    CHECK(found.bytes != expected);
  }
}

TEST_CASE("fits go by name") {
  for (const ResizeModeRow& row : resize_modes()) CHECK(&find_resize_mode(row.name) == &row);
  CHECK_THROWS_WITH(find_resize_mode("strech"), Catch::Contains("Did you mean \"stretch\"?"));
}

TEST_CASE("a job takes its size from the picture, rounded down to the family's multiple") {
  const Model model = test::sample_model();
  Job job;
  take_size(job, model, 512, 256);
  CHECK(job.width == 512);
  CHECK(job.height == 256);
  Job odd;
  take_size(odd, model, 519, 257);
  CHECK(odd.width == 512);
  CHECK(odd.height == 256);
}

TEST_CASE("one side that is said gives the other by the picture's shape, both leave nothing to take") {
  const Model model = test::sample_model();
  Job wide;
  wide.width = 600;
  take_size(wide, model, 4000, 3000);
  CHECK(wide.height == 448);
  Job high;
  high.height = 512;
  take_size(high, model, 4000, 3000);
  CHECK(high.width == 680);
  Job both;
  both.width = 64;
  both.height = 72;
  take_size(both, model, 4000, 3000);
  CHECK(both.width == 64);
}

TEST_CASE("pictures too small and too large are refused with a size to take") {
  const Model model = test::sample_model();
  Job job;
  CHECK_THROWS_WITH(take_size(job, model, 40, 300), Catch::Contains("40 x 300") && Catch::Contains("width 64"));
  CHECK_THROWS_WITH(take_size(job, model, 6000, 4000),
                    Catch::Contains("width 192 height 128") && Catch::Contains("width 6000"));
  CHECK_FALSE(job.width);
}

TEST_CASE("a size far beyond the model's own is said, with its cost") {
  const Model model = test::sample_model();
  ResolvedJob job;
  job.width = 4 * model.defaults.width;
  job.height = 4 * model.defaults.height;
  CHECK_FALSE(size_note(job, model));
  job.width += 8;
  CHECK_THAT(size_note(job, model).value(),
             Catch::Contains("16 times as many as sample") && Catch::EndsWith(field_name("hires")));
  job.width = model.defaults.width;
  job.height = model.defaults.height;
  CHECK_FALSE(size_note(job, model));
  job.hires = 8;
  job.hires_width = 8 * model.defaults.width;
  job.hires_height = 8 * model.defaults.height;
  CHECK_THAT(size_note(job, model).value(), Catch::Contains("64 times") && Catch::EndsWith("repeat"));
}
