#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "io/file/sha256.hpp"
#include "jobs/request.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using namespace lapis::jobs::test;
using io::test::check_fails;

namespace {

Outline outlined(const std::string& line, std::size_t place = 1) {
  static Files files;
  BatchJob job;
  job.line = place;
  job.said = io::read_job_line(line, "a line");
  if (!job.said.job.output) job.said.job.output = "out/";
  return outline(job, files);
}

std::string id_of(const std::string& line) { return outlined(line).id; }

constexpr const char* lake = R"({"prompt": "a lake", "seed": 7})";

}  // namespace

TEST_CASE("a job's outline tells its outputs, what it runs on and what it loads") {
  const Outline one = outlined(
      R"({"prompt": "a lake", "model": "tiny-sdxl", "batch": 2, "threads": 1, "output": "o/{seed}.png", "seed": 7})");
  CHECK(one.outputs == std::vector<std::string>{"o/7.png", "o/8.png"});
  CHECK(one.model == "tiny-sdxl");
  CHECK(one.engine.threads == 1);
  CHECK(one.load.find("tiny-sdxl") != std::string::npos);
  const Outline other = outlined(R"({"prompt": "a lake", "model": "tiny-sdxl", "then": "tiny-sd15:0.5"})");
  CHECK(other.load != one.load);
}

TEST_CASE("a job costs what it takes in steps, pixels and pictures") {
  const double cost = outlined(R"({"prompt": "a lake", "steps": 10, "width": 64, "height": 64})").cost;
  CHECK(outlined(R"({"prompt": "a lake", "steps": 20, "width": 64, "height": 64})").cost == Approx(2 * cost));
  CHECK(outlined(R"({"prompt": "a lake", "steps": 10, "width": 128, "height": 64})").cost == Approx(2 * cost));
  CHECK(outlined(R"({"prompt": "a lake", "steps": 10, "width": 64, "height": 64, "batch": 3})").cost ==
        Approx(3 * cost));
  CHECK(outlined(R"({"prompt": "a lake", "steps": 10, "width": 64, "height": 64, "guidance": 1})").cost ==
        Approx(cost / 2));
}

TEST_CASE("a job's id tells apart what would give other bytes or another name, and nothing else") {
  CHECK(id_of(lake) == id_of(R"({"seed": 7, "prompt": "a lake"})"));
  CHECK(id_of(lake) == id_of(R"({"seed": 7, "prompt": "a lake", "model": "tiny-sd15"})"));
  for (const char* other :
       {R"({"prompt": "a hill", "seed": 7})", R"({"prompt": "a lake", "seed": 8})",
        R"({"prompt": "a lake", "seed": 7, "model": "tiny-sdxl"})", R"({"prompt": "a lake", "seed": 7, "steps": 3})",
        R"({"prompt": "a lake", "seed": 7, "output": "out/other.png"})",
        R"({"prompt": "a lake", "seed": 7, "latent": "out/a.safetensors"})"}) {
    INFO(other);
    CHECK(id_of(lake) != id_of(other));
  }
  CHECK(id_of(R"({"prompt": "a lake", "seed": 7, "output": "a/1.png"})") ==
        id_of(R"({"prompt": "a lake", "seed": 7, "output": "b/1.png"})"));
}

TEST_CASE("a LoRA counts in an id by its name and its bytes, and not by the folder it lies in") {
  const io::test::TemporaryFolder folder;
  const auto id = [&](const char* place, const std::string& bytes, const char* name = "style.safetensors") {
    std::filesystem::create_directories(folder / place);
    std::ofstream(folder / place / name) << bytes;
    return id_of(R"({"prompt": "a lake", "seed": 7, "loras": [")" + (folder / place / name).string() + R"(:0.5"]})");
  };
  const std::string one = id("a", "x");
  CHECK(id("b", "x") == one);
  CHECK(id("c", "y") != one);
  CHECK(id("d", "x", "other.safetensors") != one);
  std::filesystem::create_directories(folder / "e");
  const std::string bare = id("f", "x", "adapter_model.safetensors");
  std::ofstream(folder / "e/adapter_config.json") << "{}";
  CHECK(id("e", "x", "adapter_model.safetensors") != bare);
}

TEST_CASE("a job that has no sense is refused as its command does, and standard input is no file of a job") {
  check_fails(ErrorKind::usage, {"there is no prompt"}, [] { outlined("{}"); });
  check_fails(ErrorKind::usage, {"steps is 0"}, [] { outlined(R"({"prompt": "a", "steps": 0})"); });
  check_fails(ErrorKind::usage, {"tiny-sd14", "tiny-sd15"},
              [] { outlined(R"({"prompt": "a", "model": "tiny-sd14"})"); });
  check_fails(ErrorKind::input, {"nowhere.png"}, [] { outlined(R"({"prompt": "a", "image": "nowhere.png"})"); });
  check_fails(ErrorKind::usage, {"standard input"}, [] { outlined(R"({"prompt": "a", "image": "-"})"); });
  check_fails(ErrorKind::usage, {"standard input"}, [] { outlined(R"({"command": "decode", "latent": "-"})"); });
  check_fails(ErrorKind::usage, {"there is no model"}, [] { outlined(R"({"command": "encode", "images": "a.png"})"); });
  check_fails(ErrorKind::usage, {"knows the file of image by its sha256"},
              [] { outlined(R"({"version": "1", "prompt": "a", "image": "sha256:00"})"); });
}

TEST_CASE("a file's digest is that of its bytes when it was first asked for") {
  const io::test::TemporaryFolder folder;
  std::ofstream(folder / "a") << "x";
  Files files;
  const std::string before = files.digest(folder / "a");
  std::ofstream(folder / "a") << "y";
  CHECK(files.digest(folder / "a") == before);
  CHECK(Files().digest(folder / "a") != before);
  check_fails(ErrorKind::input, {"nowhere"}, [&] { files.digest(folder / "nowhere"); });
}
