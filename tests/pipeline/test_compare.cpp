#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "io/latent/latent_file.hpp"
#include "io/picture/png.hpp"
#include "pipeline/compare.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

constexpr const char* job = R"({"version": "0.1", "job": {"steps": STEPS}, "model": {"files": {"a": "aa"}}})";

std::string job_text_of(const std::string& steps) {
  return std::string(job).replace(std::string(job).find("STEPS"), 5, steps);
}

/// A grey PNG, with one value that is another where `change` is none.
std::string put_png(const std::filesystem::path& path, int width, int height, int change = 0,
                    const std::string& text = "") {
  Image image{width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 100)};
  image.rgb.back() = static_cast<std::uint8_t>(100 + change);
  const std::vector<std::byte> png = io::encode_png(image, {"", text});
  io::test::write_text(path, io::test::as_text(png));
  return path.string();
}

std::string put_latent(const std::filesystem::path& path, const Space& space, float value, std::int64_t pictures = 1) {
  LatentDocument document;
  document.passport.space = space;
  document.passport.shape = {pictures, space.channels, 2, 3};
  document.values.assign(static_cast<std::size_t>(pictures * space.channels * 6), 0.5F);
  document.values.back() = value;
  io::test::write_text(path, io::test::as_text(io::latent_bytes(document)));
  return path.string();
}

const Space sd15{"sd15", 4, 8, 0.18215, 0, "sd15"};
const Space sdxl{"sdxl", 4, 8, 0.13025, 0, "sdxl"};

io::ComparedPair compared(const std::string& a, const std::string& b, const core::AskedTolerance& tolerance = {}) {
  const Comparison comparison = compare({a, b, tolerance, {}}, {});
  CHECK_FALSE(comparison.folders);
  REQUIRE(comparison.pairs.size() == 1);
  return comparison.pairs.front();
}

}  // namespace

TEST_CASE("pictures are equal within a level, a thousandth of their values") {
  const TemporaryFolder folder;
  const std::string a = put_png(folder / "a.png", 20, 20);
  const io::ComparedPair same = compared(a, put_png(folder / "same.png", 20, 20));
  CHECK(same.equal());
  CHECK(same.difference->identical());
  CHECK(same.a.pixels_sha256 == same.b.pixels_sha256);
  CHECK(compared(a, put_png(folder / "level.png", 20, 20, 1)).equal());
  const io::ComparedPair two = compared(a, put_png(folder / "two.png", 20, 20, 2));
  CHECK_FALSE(two.equal());
  CHECK(two.judgement.breaches.front().threshold == "hard_fail");
  CHECK(two.difference->worst.x == 19);
  CHECK(two.difference->worst.channel == 2);
  CHECK(compared(a, (folder / "two.png").string(), {{"hard_fail", 2}}).equal());
  CHECK(compared(a, (folder / "two.png").string(), {{"fail", 2}, {"fail_percent", 0}}).equal());
  CHECK_FALSE(compared(a, (folder / "two.png").string(), {{"fail", 1}, {"fail_percent", 0}}).equal());
  const std::string few = put_png(folder / "few.png", 10, 10);
  CHECK(compared(few, put_png(folder / "few_level.png", 10, 10, 1)).judgement.breaches.front().threshold ==
        "fail_percent");
}

TEST_CASE("pictures of two sizes differ, and nothing is measured") {
  const TemporaryFolder folder;
  const io::ComparedPair pair = compared(put_png(folder / "a.png", 20, 20), put_png(folder / "b.png", 10, 20));
  CHECK_FALSE(pair.equal());
  CHECK_FALSE(pair.difference);
  CHECK(pair.judgement.breaches.front().threshold == "size");
  CHECK_THAT(pair.judgement.breaches.front().text, Catch::Contains("20 x 20") && Catch::Contains("10 x 20"));
}

TEST_CASE("different files that hold their settings say in what those differ") {
  const TemporaryFolder folder;
  const std::string a = put_png(folder / "a.png", 20, 20, 0, job_text_of("20"));
  const io::ComparedPair pair = compared(a, put_png(folder / "b.png", 20, 20, 9, job_text_of("19")));
  REQUIRE(pair.changed);
  CHECK(io::changed_text(*pair.changed) == "steps 20 -> 19; models the same");
  CHECK_FALSE(compared(a, put_png(folder / "c.png", 20, 20, 0, job_text_of("19"))).changed);
  CHECK_FALSE(compared(a, put_png(folder / "d.png", 20, 20, 9)).changed);
}

TEST_CASE("latents are compared in one space, number by number") {
  const TemporaryFolder folder;
  const std::string a = put_latent(folder / "a.safetensors", sd15, 0.5F);
  CHECK(compared(a, a).difference->identical());
  CHECK(compared(a, put_latent(folder / "near.safetensors", sd15, 0.50005F)).equal());
  const io::ComparedPair far = compared(a, put_latent(folder / "far.safetensors", sd15, 1));
  CHECK_FALSE(far.equal());
  CHECK(far.difference->largest == 0.5);
  CHECK(far.difference->worst.channel == 3);
  CHECK(far.difference->relative > 0);
  CHECK(compared(a, (folder / "far.safetensors").string(), {{"hard_fail", 0.5}}).equal());
  const io::ComparedPair batch = compared(a, put_latent(folder / "batch.safetensors", sd15, 0.5F, 2));
  CHECK(batch.judgement.breaches.front().threshold == "size");
  const std::string other = put_latent(folder / "other.safetensors", sdxl, 0.5F);
  check_fails(ErrorKind::incompatible, {"a.safetensors", "sd15", "sdxl", "convert"}, [&] { compared(a, other); });
  const std::string png = put_png(folder / "a.png", 20, 20);
  check_fails(ErrorKind::incompatible, {"is a latent and", "a.png a picture", "decode"}, [&] { compared(a, png); });
  check_fails(ErrorKind::incompatible, {"is a latent and"}, [&] { compared(png, a); });
  check_fails(ErrorKind::usage, {"max_flip is for pictures"}, [&] { compared(a, a, {{"max_flip", 1}}); });
}

TEST_CASE("files of two folders are compared by name, and what one lacks is a difference") {
  const TemporaryFolder folder;
  for (const char* side : {"one", "two"}) {
    put_png(folder / side / "same.png", 20, 20);
    put_png(folder / side / "below" / "far.png", 20, 20, side == std::string("one") ? 0 : 40);
    io::test::write_text(folder / side / "notes.txt", "not compared");
    io::test::write_text(folder / side / "broken.png", "no picture");
  }
  put_png(folder / "one" / "lacking.png", 20, 20);
  put_latent(folder / "two" / "new.safetensors", sd15, 1);
  std::vector<int> steps;
  Events events;
  events.step = [&](int done, int all) { steps.push_back(100 * done + all); };
  const Comparison comparison = compare({(folder / "one").string(), (folder / "two").string(), {}, {}}, events);
  CHECK(comparison.folders);
  CHECK(comparison.others == 2);
  REQUIRE(comparison.pairs.size() == 5);
  CHECK(steps.back() == 505);
  CHECK(comparison.pairs[0].name == "below/far.png");
  CHECK(comparison.pairs[0].judgement.breaches.front().threshold == "hard_fail");
  CHECK(comparison.pairs[1].error);
  CHECK_FALSE(comparison.pairs[1].equal());
  CHECK(comparison.pairs[2].judgement.breaches.front().threshold == "missing");
  CHECK(comparison.pairs[2].b.path.empty());
  CHECK(comparison.pairs[3].name == "new.safetensors");
  CHECK(comparison.pairs[3].a.path.empty());
  CHECK(comparison.pairs[4].equal());
}

TEST_CASE("a folder goes with a folder") {
  const TemporaryFolder folder;
  const std::string png = put_png(folder / "a.png", 2, 2);
  const std::string name = folder.path().string();
  std::filesystem::create_directory(folder / "empty");
  const std::string empty = (folder / "empty").string();
  check_fails(ErrorKind::usage, {"is a folder and", "two folders"}, [&] { compare({name, png, {}, {}}, {}); });
  check_fails(ErrorKind::input, {"neither"}, [&] { compare({empty, empty, {}, {}}, {}); });
  check_fails(ErrorKind::input, {"none.png"}, [&] { compare({png, (folder / "none.png").string(), {}, {}}, {}); });
  check_fails(ErrorKind::input, {"none.png"}, [&] { compare({name, (folder / "none.png").string(), {}, {}}, {}); });
}

TEST_CASE("of two folders the pairs that differ are drawn") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_directories(folder / "b");
  put_png(folder / "a/same.png", 4, 4);
  put_png(folder / "b/same.png", 4, 4);
  put_png(folder / "a/far.png", 4, 4);
  put_png(folder / "b/far.png", 4, 4, 50);
  put_png(folder / "a/alone.png", 4, 4);
  std::vector<std::string> drawn;
  CompareAsked asked{(folder / "a").string(), (folder / "b").string(), {}, {}};
  asked.on_drawing = [&](const std::string& name, const Image& drawing) {
    drawn.push_back(name);
    CHECK(drawing.width > 3 * 256);
  };
  compare(asked, {});
  CHECK(drawn == std::vector<std::string>{"far.png"});
}

TEST_CASE("the drawing is of two pictures") {
  const TemporaryFolder folder;
  const std::string a = put_png(folder / "a.png", 20, 20);
  const Comparison comparison = compare({a, put_png(folder / "b.png", 20, 20, 50), {}, {}, Drawn::all}, {});
  REQUIRE(comparison.drawing);
  CHECK(comparison.drawing->width > 3 * 20);
}
