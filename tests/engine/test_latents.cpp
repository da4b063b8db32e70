// Latents that come in and go out.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "engine/latents.hpp"
#include "rendering.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

std::unique_ptr<Engine> bare_engine() { return make_engine("fp32", 1); }

/// The latents of two pictures in one batch, and the pictures.
struct Batch {
  Latent latent;
  std::vector<Image> images;
};

const Batch& two_pictures() {
  static const Batch batch = [] {
    Batch made;
    for (const Rendered& picture : pictures_of(*make_engine("fp32", 1), request(7, 2, 3))) {
      made.images.push_back(picture.image);
      if (made.latent.values.empty()) {
        made.latent = picture.latent;
        continue;
      }
      made.latent.shape[0] += 1;
      made.latent.values.insert(made.latent.values.end(), picture.latent.values.begin(), picture.latent.values.end());
    }
    return made;
  }();
  return batch;
}

/// A picture of enough steps that an encoder knows its like.
Rendered finished_picture() {
  RenderRequest asked = request(7, 1, 3);
  asked.job.steps = 20;
  asked.schedule = core::make_schedule(model().sampling, model().sampling.spacing, asked.job.steps);
  return pictures_of(*make_engine("fp32", 1), asked).front();
}

/// The error that `work` ends in.
template <class Work>
std::string refused(ErrorKind kind, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  FAIL("not refused");
  return {};
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

}  // namespace

TEST_CASE("a latent decodes to the pictures it was rendered with, and nothing but a decoder is loaded") {
  const auto made = bare_engine();
  const Decoded decoded = made->decode(model(), two_pictures().latent, "auto");
  REQUIRE(decoded.images.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) CHECK(decoded.images[i].rgb == two_pictures().images[i].rgb);
  CHECK(decoded.images[0].rgb != decoded.images[1].rgb);
  CHECK(decoded.timings.load > 0);
  CHECK(decoded.timings.of(PartKind::vae_decoder) > 0);
  CHECK(decoded.timings.pixels >= 0);
  CHECK(decoded.timings.of(PartKind::text_encoder) == 0);
  CHECK(decoded.timings.of(PartKind::denoiser) == 0);
  CHECK(made->decode(model(), two_pictures().latent, "auto").timings.load == 0);
}

TEST_CASE("a latent of another space is refused with both sides' numbers, unless any space is taken") {
  const auto made = bare_engine();
  Latent other = two_pictures().latent;
  other.space = {"sdxl", 4, 8, 0.13025, 0, "tiny-sdxl"};
  const std::string text = refused(ErrorKind::incompatible, [&] { made->decode(model(), other, "auto"); });
  for (const char* part : {"sdxl:tiny-sdxl", "0.13025", "sd15:tiny-sd15", "0.18215"}) {
    CHECK_THAT(text, Catch::Contains(part));
  }
  CHECK(made->decode(model(), other, "auto", true).images.front().rgb == two_pictures().images.front().rgb);
  Latent near = two_pictures().latent;
  near.space.scale = 0.18;
  refused(ErrorKind::incompatible, [&] { made->decode(model(), near, "auto"); });
}

TEST_CASE("another count of channels and a partially denoised latent are never decoded") {
  const auto made = bare_engine();
  Latent wide = two_pictures().latent;
  wide.space.channels = 8;
  wide.shape = {1, 8, wide.shape[2], wide.shape[3]};
  for (const bool any_space : {false, true}) {
    const std::string text = refused(ErrorKind::incompatible, [&] { made->decode(model(), wide, "auto", any_space); });
    CHECK_THAT(text, Catch::Contains("8 ch"));
    Latent noisy = two_pictures().latent;
    noisy.sigma = 2.5;
    noisy.step = 7;
    const std::string why = refused(ErrorKind::incompatible, [&] { made->decode(model(), noisy, "auto", any_space); });
    CHECK_THAT(why, Catch::Contains("after 7 steps") && Catch::Contains("2.5") && Catch::Contains("init_latent"));
  }
}

TEST_CASE("a flat picture and one that is not finite stay errors") {
  const auto made = bare_engine();
  Latent bad = two_pictures().latent;
  bad.values[3] = std::nanf("");
  refused(ErrorKind::numeric, [&] { made->decode(model(), bad, "auto"); });
  bad.values.pop_back();
  refused(ErrorKind::internal, [&] { made->decode(model(), bad, "auto"); });
}

TEST_CASE("a picture is encoded to the mean, or to a sample of its seed about the mean") {
  const auto made = bare_engine();
  const Image& image = two_pictures().images.front();
  const Encoded mean = made->encode(model(), image, "auto", std::nullopt);
  CHECK(mean.latent.space == model().space);
  CHECK(mean.latent.sigma == 0);
  CHECK(mean.latent.shape == std::array<std::int64_t, 4>{1, 4, 12, 8});
  CHECK(mean.timings.of(PartKind::vae_encoder) > 0);
  CHECK(made->encode(model(), image, "auto", std::nullopt).latent.values == mean.latent.values);
  const Encoded seven = made->encode(model(), image, "auto", 7);
  CHECK(made->encode(model(), image, "auto", 7).latent.values == seven.latent.values);
  CHECK(made->encode(model(), image, "auto", 8).latent.values != seven.latent.values);
  CHECK(largest_difference(seven.latent.values, mean.latent.values) > 0);
  CHECK(largest_difference(seven.latent.values, mean.latent.values) < 1);
  const Rendered drawn = finished_picture();
  const Encoded again = made->encode(model(), drawn.image, "auto", std::nullopt);
  CHECK(largest_difference(again.latent.values, drawn.latent.values) < 2);
  Image odd = image;
  odd.width -= 1;
  odd.rgb.resize(static_cast<std::size_t>(odd.width) * static_cast<std::size_t>(odd.height) * 3);
  refused(ErrorKind::usage, [&] { made->encode(model(), odd, "auto", std::nullopt); });
}
