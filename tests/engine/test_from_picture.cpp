// Image to image, masks and second passes on the bundled model.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "rendering.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

RenderRequest from(const Image& image, double strength) {
  RenderRequest made = request(5, 1, 3);
  made.image = image;
  made.job.steps = 10;
  made.schedule = core::make_schedule(model().sampling, model().sampling.spacing, made.job.steps);
  made.job.strength = strength;
  made.job.vae_tiling = "auto";
  made.job.mask_paste = "off";
  return made;
}

const Image& drawn() {
  static const Image image = pictures_of(*make_engine("fp32", 1), request(7, 1, 3)).front().image;
  return image;
}

/// The mean difference of two pictures of one size, in levels.
double distance(const Image& a, const Image& b) {
  REQUIRE(a.rgb.size() == b.rgb.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int{a.rgb[i]} - int{b.rgb[i]});
  return sum / static_cast<double>(a.rgb.size());
}

Mask left_half(int width, int height) {
  Mask mask{width, height,
            std::vector<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  for (int i = 0; i < width * height; ++i) mask.values[static_cast<std::size_t>(i)] = i % width < width / 2 ? 255 : 0;
  return mask;
}

}  // namespace

TEST_CASE("the less strength, the nearer a picture stays to the one it starts from") {
  const auto made = make_engine("fp32", 1);
  std::vector<int> done;
  made->render(
      model(), from(drawn(), 0.3),
      [&](int step, int all) {
        CHECK(all == 3);
        done.push_back(step);
      },
      [](const Rendered& picture) { CHECK(picture.timings.of(PartKind::vae_encoder) > 0); });
  CHECK(done == std::vector<int>{1, 2, 3});
  const double weak = distance(pictures_of(*made, from(drawn(), 0.1)).front().image, drawn());
  const double strong = distance(pictures_of(*made, from(drawn(), 0.9)).front().image, drawn());
  CHECK(weak < 0.75 * strong);
}

TEST_CASE("each picture of a batch from a picture equals the one of its seed alone") {
  const auto made = make_engine("fp32", 1);
  RenderRequest both = from(drawn(), 0.5);
  both.job.batch = 2;
  const std::vector<Rendered> batch = pictures_of(*made, both);
  RenderRequest second = from(drawn(), 0.5);
  second.job.seed += 1;
  CHECK(batch[1].latent.values == pictures_of(*made, second).front().latent.values);
  CHECK(batch[0].latent.values != batch[1].latent.values);
}

TEST_CASE("outside a mask the latent is the picture's, and pasted pixels stay to the bit") {
  const auto made = make_engine("fp32", 1);
  RenderRequest asked = from(drawn(), 0.8);
  asked.mask = left_half(asked.job.width, asked.job.height);
  const Rendered free = pictures_of(*made, asked).front();
  asked.job.mask_paste = "on";
  const Rendered pasted = pictures_of(*made, asked).front();
  CHECK(free.latent.values == pasted.latent.values);
  RenderRequest other = asked;  // the same picture and noise, another run
  other.job.guidance = 1;
  const Rendered redrawn = pictures_of(*made, other).front();
  const auto columns = static_cast<std::size_t>(pasted.latent.shape[3]);
  for (std::size_t i = 0; i < pasted.latent.values.size(); ++i) {
    const bool kept = i % columns >= columns / 2;
    if (kept) CHECK(pasted.latent.values[i] == redrawn.latent.values[i]);
  }
  CHECK(pasted.latent.values != redrawn.latent.values);
  const auto width = static_cast<std::size_t>(pasted.image.width);
  for (std::size_t i = 0; i < pasted.image.rgb.size(); ++i) {
    const bool kept = i / 3 % width >= width / 2;
    if (kept) REQUIRE(pasted.image.rgb[i] == drawn().rgb[i]);
  }
  CHECK(distance(free.image, pasted.image) > 0);
}

TEST_CASE("a second pass enlarges the picture and draws on it") {
  const auto made = make_engine("fp32", 1);
  RenderRequest asked = request(7, 1, 3);
  asked.job.vae_tiling = "auto";
  asked.job.hires = 2;
  asked.job.hires_width = 2 * asked.job.width;
  asked.job.hires_height = 2 * asked.job.height;
  asked.job.hires_steps = 20;
  asked.job.hires_strength = 0.05;
  asked.hires_schedule = core::make_schedule(model().sampling, model().sampling.spacing, 20);
  int last = 0;
  std::vector<Rendered> pictures;
  made->render(
      model(), asked,
      [&](int done, int all) {
        CHECK(all == 2 + 1);
        last = done;
      },
      [&](const Rendered& picture) { pictures.push_back(picture); });
  CHECK(last == 3);
  CHECK(pictures.front().image.width == 128);
  CHECK(pictures.front().image.height == 192);
  const Image plain = core::rgb_image(core::resized(core::pixels_of(drawn()), 128, 192, core::Filter::lanczos));
  const double weak = distance(pictures.front().image, plain);
  CHECK(weak > 0);
  asked.job.hires_strength = 0.5;
  CHECK(weak < 0.75 * distance(pictures_of(*made, asked).front().image, plain));
}
