#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "core/text/names.hpp"
#include "pipeline/outputs.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::as_bytes;
using io::test::as_text;
using io::test::check_fails;

TEST_CASE("what is there stays, is replaced, or is in the way") {
  const io::test::TemporaryFolder folder;
  io::test::write_text(folder / "b", "mine");
  std::vector<Output> outputs = picture_outputs({(folder / "a").string(), (folder / "b").string(), "-"});
  CHECK(outputs[2].index == 2);
  check_fails(ErrorKind::output, {"exists already"}, [&] { plan_outputs(outputs, {}); });
  plan_outputs(outputs, {.overwrite = true});
  CHECK(written_places(outputs) == std::vector<int>{0, 1, 2});
  plan_outputs(outputs, {.skip_existing = true});
  CHECK(written_places(outputs) == std::vector<int>{0, 2});
  CHECK(paths_that_stay(outputs) == std::vector<std::string>{outputs[1].path});
  CHECK_FALSE(all_stay(outputs));
  CHECK(all_stay({&outputs[1], 1}));
  check_fails(ErrorKind::usage, {"overwrite replaces what is there, and skip_existing leaves it"}, [&] {
    plan_outputs(outputs, {true, true});
  });
}

TEST_CASE("a folder never stays, and what lies in none is told before any work") {
  const io::test::TemporaryFolder folder;
  Output output{folder.path().string(), std::nullopt};
  check_fails(ErrorKind::output, {output.path}, [&] { plan_outputs({&output, 1}, {.skip_existing = true}); });
  output.path = (folder / "nowhere/a").string();
  check_fails(ErrorKind::output, {"nowhere"}, [&] { plan_outputs({&output, 1}, {}); });
}

TEST_CASE("a file of a model in use is no output, by whatever name") {
  ModelCatalog catalog;
  const std::string folder = catalog.open("tiny-sd15").folder.string();
  for (const char* name : {"/vae/diffusion_pytorch_model.safetensors", "/unet/../model.json"}) {
    Output output{folder + name, std::nullopt};
    check_fails(ErrorKind::usage, {"is a file of model tiny-sd15"}, [&] {
      plan_outputs({&output, 1}, {.overwrite = true}, catalog);
    });
    plan_outputs({&output, 1}, {.skip_existing = true}, catalog);
  }
}

TEST_CASE("two names of one file are told, there or not") {
  const io::test::TemporaryFolder folder;
  const std::string name = (folder / "a").string();
  CHECK(is_same_file(name, (folder / "x/../a").string()));
  CHECK_FALSE(is_same_file(name, (folder / "b").string()));
  CHECK_FALSE(is_same_file("/dev/null", "/dev/null"));
}

TEST_CASE("an output is written whole, or handed to who has standard output, and reported where that is wanted") {
  const io::test::TemporaryFolder folder;
  std::string out;
  Outlet outlet;
  outlet.standard_output = [&](std::span<const std::byte> bytes) { out = as_text(bytes); };
  const Report report = [](const std::string& sha256, double) { return "{" + sha256.substr(0, 4) + "}"; };
  const std::string path = (folder / "a").string();
  const Written quiet = write_output(path, as_bytes("abc"), outlet, {}, report);
  CHECK(io::test::read_text(path) == "abc");
  CHECK(quiet.path == path);
  CHECK(quiet.line.empty());
  outlet.reports = true;
  const Written told = write_output("-", as_bytes("abc"), outlet, {}, report);
  CHECK(out == "abc");
  CHECK(told.sha256.starts_with("ba7816bf"));
  CHECK(told.line == "{ba78}");
  check_fails(ErrorKind::output, {"exists already"}, [&] { write_output(path, as_bytes("abc"), outlet, {}, report); });
}

TEST_CASE("texts of a report are spelled as its reader spells them") {
  Outlet outlet;
  const std::vector<std::string> texts = {core::marked("{steps} is 0")};
  CHECK(spelled(texts, outlet) == std::vector<std::string>{"steps is 0"});
  outlet.spelled = [](std::string_view text) { return "--" + core::plain(text); };
  CHECK(spelled(texts, outlet) == std::vector<std::string>{"--steps is 0"});
}
