#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "jobs/axes.hpp"

using namespace lapis;
using namespace lapis::jobs;
using io::test::check_fails;

namespace {

using Words = std::vector<std::string>;

Words values_said(std::string_view text) { return parse_axis(text).values; }

void check_axis_refused(const std::string& text, const std::vector<std::string>& parts) {
  INFO(text);
  check_fails(ErrorKind::usage, parts, [&] { parse_axis(text); });
  check_fails(ErrorKind::usage, {"each"}, [&] { parse_axis(text); });
}

Axis axis_of(const std::string& key, std::size_t count) { return {key, Words(count, "1")}; }

}  // namespace

TEST_CASE("an axis is a field, by its key or a name of its flag, and values with commas between") {
  CHECK(parse_axis("seed=7").key == "seed");
  CHECK(parse_axis("guidance-interval=a").key == "guidance_interval");
  CHECK(parse_axis("cfg-scale=3").key == "guidance");
  CHECK(parse_axis("lora=a").key == "loras");
  CHECK(parse_axis("W=64").key == "width");
  CHECK(values_said("sampler=euler,dpmpp_2m") == Words{"euler", "dpmpp_2m"});
  CHECK(values_said("loras=a:0.5,b") == Words{"a:0.5", "b"});
  CHECK(values_said("prompt=a=b") == Words{"a=b"});
  check_axis_refused("stpes=3", {"a job has no field \"stpes\"", "Did you mean \"steps\"?"});
  check_axis_refused("cfg-scal=3", {"Did you mean \"cfg-scale\"?"});
  check_axis_refused("=3", {"a job has no field \"\""});
  check_axis_refused("seed", {"expected FIELD=VALUES"});
}

TEST_CASE("ranges of whole numbers have both ends, and may fall") {
  CHECK(values_said("seed=1..4") == Words{"1", "2", "3", "4"});
  CHECK(values_said("steps=4..1") == Words{"4", "3", "2", "1"});
  CHECK(values_said("steps=1..8..3,20,2..2") == Words{"1", "4", "7", "20", "2"});
  CHECK(values_said("steps=8..1..3") == Words{"8", "5", "2"});
  CHECK(values_said("seed=-1..1") == Words{"-1", "0", "1"});
  CHECK(values_said("seed=999999999999999998..999999999999999999").back() == "999999999999999999");
}

TEST_CASE("ranges of decimals count in the places of their words") {
  CHECK(values_said("guidance=0.5..1.0..0.1") == Words{"0.5", "0.6", "0.7", "0.8", "0.9", "1"});
  CHECK(values_said("guidance=1..0..0.25") == Words{"1", "0.75", "0.5", "0.25", "0"});
  CHECK(values_said("guidance=1.00..3..1") == Words{"1", "2", "3"});
  CHECK(values_said("guidance=9.95..10.05..0.05") == Words{"9.95", "10", "10.05"});
  const Words thousandths = values_said("guidance=0..1..0.001");
  REQUIRE(thousandths.size() == 1001);
  for (std::size_t i = 0; i < thousandths.size(); ++i) {
    CHECK(std::stod(thousandths[i]) == static_cast<double>(i) / 1000);
    CHECK(thousandths[i].size() <= 5);
  }
  CHECK(values_said("strength=-0.1..0.1..0.1") == Words{"-0.1", "0", "0.1"});
}

TEST_CASE("what is no range is refused, and a text with dots is a text") {
  for (const char* word : {"1..", "..3", "1..x", "1..2..3..4", "1..2..0", "1..2..-1", "0.5..1", "1...2", "-..3",
                           "1000000000000000000..1000000000000000001", "0.0000000001..1000000000..0.5"}) {
    check_axis_refused(std::string("guidance=") + word, {"each gives guidance \"" + std::string(word), "0.5..1..0.1"});
  }
  CHECK(values_said("prompt=1..3") == Words{"1..3"});
}

TEST_CASE("values are checked as the field takes them") {
  check_axis_refused("steps=1,x", {"each: steps is \"x\"; expected a whole number"});
  check_axis_refused("steps=1..2..0.5", {"each: steps is \"1.5\""});
  check_axis_refused("seed=1,,2", {"each gives seed an empty value"});
  check_axis_refused("seed=", {"empty value"});
  CHECK(values_said("overwrite=on,off,true,false") == Words{"true", "false", "true", "false"});
  check_axis_refused("overwrite=maybe", {"each: overwrite is \"maybe\""});
  CHECK(values_said("mask_paste=on,off") == Words{"on", "off"});
}

TEST_CASE("lines of a file are values, commas and all") {
  const io::test::TemporaryFolder folder;
  const std::string file = (folder / "values.txt").string();
  io::test::write_text(file, "\xEF\xBB\xBFred, green\r\n\n  \n\ta lake at dusk \n1..3");
  CHECK(values_said("prompt=@" + file) == Words{"red, green", "a lake at dusk", "1..3"});
  io::test::write_text(file, "1\ntwo\n");
  check_axis_refused("steps=@" + file, {"steps is \"two\""});
  const auto check_unreadable = [](const std::string& path, const std::string& why) {
    check_fails(ErrorKind::input, {"each: ", path, why}, [&] { parse_axis("prompt=@" + path); });
  };
  io::test::write_text(file, " \n\n");
  check_unreadable(file, "has no values");
  io::test::write_text(file, "caf\xE9\n");
  check_unreadable(file, "is not UTF-8: byte 3");
  check_unreadable((folder / "gone.txt").string(), "cannot be read");
  check_unreadable(folder.path().string(), "directory");
}

TEST_CASE("values are counted before they are made") {
  CHECK(values_said("seed=1..100000").size() == most_axis_values);
  check_axis_refused("seed=0..100000", {"100001 values; expected at most 100000"});
  check_axis_refused("seed=7,1..100000", {"100001 values"});
  check_axis_refused("seed=-999999999999999999..999999999999999999", {"at most 100000"});
}

TEST_CASE("the first axis varies slowest, the last fastest") {
  const std::vector<Axis> axes = {axis_of("sampler", 2), axis_of("steps", 1), axis_of("seed", 3)};
  check_axes(axes);
  REQUIRE(combinations(axes) == 6);
  std::vector<std::vector<std::size_t>> all;
  for (std::size_t i = 0; i < 6; ++i) all.push_back(places(axes, i));
  CHECK(all == std::vector<std::vector<std::size_t>>{{0, 0, 0}, {0, 0, 1}, {0, 0, 2}, {1, 0, 0}, {1, 0, 1}, {1, 0, 2}});
  CHECK(combinations({}) == 1);
  CHECK(places({}, 0).empty());
}

TEST_CASE("axes of one field, and products that are too large, are refused") {
  check_fails(ErrorKind::usage, {"each gives seed twice"}, [] {
    check_axes(std::vector{axis_of("seed", 1), axis_of("steps", 1), axis_of("seed", 2)});
  });
  CHECK_NOTHROW(check_axes(std::vector{axis_of("seed", 100'000), axis_of("steps", 10)}));
  check_fails(ErrorKind::usage, {"each makes 1000 x 1001 jobs; expected at most 1000000"}, [] {
    check_axes(std::vector{axis_of("seed", 1000), axis_of("steps", 1001)});
  });
  std::vector<Axis> many;
  for (const char* key : {"seed", "steps", "width", "height", "guidance"}) many.push_back(axis_of(key, 100'000));
  check_fails(ErrorKind::usage, {"at most 1000000"}, [&] { check_axes(many); });
}
