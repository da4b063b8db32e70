#include <catch2/catch.hpp>
#include <filesystem>

#include "../io/support.hpp"
#include "pipeline/engine_door.hpp"
#include "recording_engine.hpp"

namespace fs = std::filesystem;
using namespace lapis;
using pipeline::EngineDoor;

TEST_CASE("an engine that is there is the door's, with its own options, and nothing is opened") {
  test::RecordingEngine engine;
  EngineDoor door(engine);
  door.begin();
  CHECK(&door.engine() == &engine);
  CHECK(door.options().dtype == "fp32");
  CHECK(door.waited() == 0);
  CHECK_NOTHROW(door.check());
}

TEST_CASE("what would keep an engine from opening is told before it is needed, and when it is") {
  const fs::path before = fs::current_path();
  {
    const io::test::TemporaryFolder gone;
    fs::current_path(gone.path());
  }
  EngineDoor checked({"cpu", "fp32", 1});
  EngineDoor opened({"cpu", "fp32", 1});
  const std::string text = "the working folder was deleted, and libtorch does not open in it.";
  io::test::check_fails(ErrorKind::device, {text}, [&] { checked.check(); });
  io::test::check_fails(ErrorKind::device, {text}, [&] { opened.engine(); });
  fs::current_path(before);
}
