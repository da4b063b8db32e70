#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "pipeline/compare_outputs.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

Comparison small_comparison() {
  Comparison comparison;
  comparison.pairs.resize(1);
  comparison.pairs.front().name = "a.png";
  comparison.drawing = Image{2, 1, {1, 2, 3, 4, 5, 6}};
  return comparison;
}

}  // namespace

TEST_CASE("a drawing and a report are written where they are asked for") {
  const TemporaryFolder folder;
  CHECK(plan_compare_outputs({}, {}, {}).all().empty());
  const CompareOutputs outputs =
      plan_compare_outputs({(folder / "d.png").string(), (folder / "r.xml").string()}, {}, {});
  CHECK(outputs.draws());
  CHECK(outputs.all().size() == 2);
  CHECK(folder.names().empty());
  CHECK(save(small_comparison(), outputs, {}).size() == 2);
  CHECK(folder.names() == std::vector<std::string>{"d.png", "r.xml"});
  CHECK_THAT(io::test::read_text(folder / "r.xml"), Catch::Contains("<testcase name=\"a.png\""));
  const CompareOutputs in_folder = plan_compare_outputs({folder.path().string() + "/", ""}, {}, {});
  CHECK(in_folder.diff->path == (folder / "difference.png").string());
}

TEST_CASE("files that are there stay, or are in the way") {
  const TemporaryFolder folder;
  io::test::write_text(folder / "d.png", "mine");
  const CompareOutputNames names{(folder / "d.png").string(), (folder / "r.xml").string()};
  check_fails(ErrorKind::output, {"d.png"}, [&] { plan_compare_outputs(names, {}, {}); });
  const OutputPolicy policy{.skip_existing = true};
  const CompareOutputs outputs = plan_compare_outputs(names, {}, policy);
  CHECK_FALSE(outputs.draws());
  CHECK(save(small_comparison(), outputs, policy) == std::vector<std::string>{names.junit});
  CHECK(io::test::read_text(folder / "d.png") == "mine");
}

TEST_CASE("differences of two folders go into a third, which is empty or said to be written into") {
  const TemporaryFolder folder;
  const std::string a = (folder / "a").string();
  const std::string differences = (folder / "d").string();
  std::filesystem::create_directory(a);
  const std::vector<std::string> inputs = {a, a};
  const CompareOutputs outputs = plan_compare_outputs({differences, ""}, inputs, {});
  CHECK_FALSE(outputs.draws());
  CHECK(outputs.diff_folder == differences);
  const Image drawing{1, 1, {1, 2, 3}};
  CHECK(save_drawing("below/x.png", drawing, outputs, {}));
  CHECK(save_drawing("x.npy", drawing, outputs, {}));
  CHECK_FALSE(save_drawing("x.npy", drawing, outputs, {.skip_existing = true}));
  CHECK(std::filesystem::exists(folder / "d/below/x.png"));
  CHECK(std::filesystem::exists(folder / "d/x.npy.png"));
  check_fails(ErrorKind::output, {"no empty folder"}, [&] { plan_compare_outputs({differences, ""}, inputs, {}); });
  CHECK(plan_compare_outputs({differences, ""}, inputs, {.overwrite = true}).diff_folder == differences);
  check_fails(ErrorKind::usage, {"that is in"}, [&] { plan_compare_outputs({a + "/d", ""}, inputs, {}); });
}

TEST_CASE("outputs are files of their own") {
  const TemporaryFolder folder;
  const std::string a = (folder / "a.png").string();
  const std::vector<std::string> inputs = {a, "-"};
  const OutputPolicy policy{.overwrite = true};
  check_fails(ErrorKind::usage, {"diff -", "Name a file"}, [&] { plan_compare_outputs({"-", ""}, inputs, policy); });
  check_fails(ErrorKind::usage, {"junit /dev/stdout"}, [&] {
    plan_compare_outputs({"", "/dev/stdout"}, inputs, policy);
  });
  check_fails(ErrorKind::usage, {"diff", a}, [&] { plan_compare_outputs({a, ""}, inputs, policy); });
  check_fails(ErrorKind::usage, {"junit", a}, [&] { plan_compare_outputs({"", a}, inputs, policy); });
  check_fails(ErrorKind::usage, {"junit"}, [&] {
    plan_compare_outputs({(folder / "x.png").string(), (folder / "x.png").string()}, inputs, policy);
  });
  check_fails(ErrorKind::usage, {".png"}, [&] {
    plan_compare_outputs({(folder / "x.jpg").string(), ""}, inputs, policy);
  });
}
