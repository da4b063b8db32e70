#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "../picture_pairs.hpp"
#include "core/picture/flip.hpp"
#include "core/picture/similarity.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

/// What FLIP's own program gives of a pair.
struct Golden {
  Image first;
  Image second;
  double mean;
  std::vector<double> errors;  ///< at `probes`

  explicit Golden(const nlohmann::json& json)
      : mean(json.at("flip").get<double>()), errors(json.at("errors").get<std::vector<double>>()) {
    const auto size = json.at("size").get<std::array<int, 2>>();
    first = test::first_picture(json.at("kind"), size[0], size[1]);
    second = test::changed(first, json.at("how"));
  }

  std::vector<std::size_t> probes() const {
    const auto place = [&](int x, int y) { return test::pixel_at(first, x, y); };
    const int width = first.width;
    const int height = first.height;
    return {place(0, 0), place(width - 1, height - 1), place(width / 2, height / 2), place(width / 4, height / 4)};
  }
};

constexpr double mean_margin = 1e-4;
constexpr double pixel_margin = 5e-4;  // single precision, under a square root

}  // namespace

TEST_CASE("FLIP is flip-evaluator's, and its twins are not") {
  const nlohmann::json cases = test::golden_cases("flip");
  REQUIRE(cases.size() >= 50);
  std::set<std::string> changes;
  for (const nlohmann::json& json : cases) {
    INFO(json.dump());
    const Golden golden(json);
    changes.insert(json.at("how").get<std::string>());
    const Flip found = flip(golden.first, golden.second);
    CHECK(std::abs(found.mean - golden.mean) < mean_margin);
    const std::vector<std::size_t> probes = golden.probes();
    for (std::size_t i = 0; i < probes.size(); ++i)
      CHECK(std::abs(static_cast<double>(found.errors[probes[i]]) - golden.errors[i]) < pixel_margin);
    const auto largest = test::pixel_at(golden.first, found.x, found.y);
    CHECK(std::abs(static_cast<double>(found.errors[largest]) - json.at("largest").get<double>()) < pixel_margin);

    Image twin = golden.second;  // one corner of another colour must be seen
    for (std::size_t c = 0; c < 3; ++c) twin.rgb[c] = static_cast<std::uint8_t>(twin.rgb[c] < 128 ? 255 : 0);
    CHECK(std::abs(static_cast<double>(flip(golden.first, twin).errors[0]) - golden.errors[0]) > 2 * pixel_margin);
  }
  CHECK(changes.size() == 10);
}

TEST_CASE("the same pairs have scikit-image's PSNR and SSIM") {
  for (const nlohmann::json& json : test::golden_cases("flip")) {
    INFO(json.dump());
    const Golden golden(json);
    if (json.at("psnr").is_null()) {
      CHECK(std::isinf(psnr(golden.first, golden.second)));
    } else {
      CHECK(psnr(golden.first, golden.second) == Approx(json.at("psnr").get<double>()).epsilon(1e-12));
    }
    if (json.at("ssim").is_null()) continue;
    CHECK(ssim(golden.first, golden.second) == Approx(json.at("ssim").get<double>()).epsilon(0).margin(1e-9));
  }
}

TEST_CASE("which picture is the reference makes no difference, nor do the rows that are computed together") {
  const Image tall = test::first_picture("noise", 9, 200);
  const Image other = test::changed(tall, "noisy");
  const Flip found = flip(tall, other);
  CHECK(found.errors == flip(other, tall).errors);
  const auto lower = [](const Image& image, int rows) {
    return Image{image.width, rows, {image.rgb.end() - std::ptrdiff_t{3} * image.width * rows, image.rgb.end()}};
  };
  const std::vector<float> part = flip(lower(tall, 120), lower(other, 120)).errors;
  constexpr std::ptrdiff_t last = 540;  // values of 60 rows, which the cut does not reach
  CHECK(std::equal(part.end() - last, part.end(), found.errors.end() - last));
}

TEST_CASE("the largest error of FLIP has a place") {
  Image picture{30, 20, std::vector<std::uint8_t>(1800, 90)};
  Image other = picture;
  for (std::size_t c = 0; c < 3; ++c) other.rgb[3 * test::pixel_at(other, 21, 7) + c] = 250;
  const Flip found = flip(picture, other);
  CHECK(found.x == 21);
  CHECK(found.y == 7);
  CHECK(flip(picture, picture).mean == 0);
}
