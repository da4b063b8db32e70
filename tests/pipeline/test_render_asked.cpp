#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "../io/support.hpp"
#include "io/picture/png.hpp"
#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/render_asked.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

constexpr const char* record =
    R"({"version": "1", "job": {"prompt": "a lake", "seed": 7, "image": "sha256:0123456789abcdef"}})";

std::string write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return path.string();
}

std::string write(const std::filesystem::path& path, const std::string& text) {
  return write(path, std::as_bytes(std::span(text)));
}

}  // namespace

TEST_CASE("a picture's settings are a job again, and so is a line of JSON") {
  const TemporaryFolder folder;
  const Image image{2, 2, std::vector<std::uint8_t>(12, 9)};
  const std::string png = write(folder / "a.png", io::encode_png(image, {"", record}));
  const std::string line = write(folder / "a.json", std::string("\n") + R"({"prompt": "a lake", "seed": 7})");
  for (const std::string& path : {png, line}) {
    const RecordedJob recorded = recorded_in(path);
    const AskedJob& asked = recorded.asked;
    CHECK(recorded.record.document.empty() == (path == line));
    CHECK(asked.job.prompt == "a lake");
    CHECK(asked.job.seed == 7);
    CHECK(asked.named.contains("seed"));
    CHECK_FALSE(asked.named.contains("steps"));
  }
}

TEST_CASE("a file that records no job is refused") {
  const TemporaryFolder folder;
  const Image image{1, 1, {1, 2, 3}};
  check_fails(ErrorKind::input, {"a.png holds no job"},
              [&] { recorded_in(write(folder / "a.png", io::encode_png(image, {}))); });
  check_fails(ErrorKind::input, {"neither a PNG nor a latent"}, [&] { recorded_in(write(folder / "a", "a lake")); });
  check_fails(ErrorKind::input, {"steppes", "steps"},
              [&] { recorded_in(write(folder / "b.json", R"({"prompt": "a", "steppes": 2})")); });
}

TEST_CASE("a file that a record knows by its digest alone has to be named") {
  Job job;
  check_sources_named(job, "a.png");
  job.image = "lake.png";
  check_sources_named(job, "a.png");
  job.image = "sha256:0123456789abcdef";
  check_fails(ErrorKind::usage, {"a.png knows the file of image", "0123456789ab", "image FILE"},
              [&] { check_sources_named(job, "a.png"); });
}

TEST_CASE("a file to go on from is a picture or a latent by its bytes") {
  const TemporaryFolder folder;
  const Image image{1, 1, {1, 2, 3}};
  const auto field = [](const std::string& path) {
    return field_of_source(io::LatentSource(path, io::LatentSource::largest_pipe, true), path);
  };
  CHECK(field(write(folder / "a.latent", io::encode_png(image, {}))) == "image");
  CHECK(field(write(folder / "a.tga", "no mark")) == "image");
  CHECK(field(write(folder / "a.png", "no mark")) == "init_latent");
}

TEST_CASE("a render from a picture that was read has its bytes") {
  const TemporaryFolder folder;
  ModelCatalog catalog;
  const auto source = std::make_shared<io::LatentSource>(write(folder / "a", "bytes"));
  const RenderAsked asked = render_asked({}, source, catalog);
  CHECK(asked.picture->bytes.size() == 5);
  CHECK_FALSE(asked.latent);
  CHECK_FALSE(render_asked({}, nullptr, catalog).picture);
}
