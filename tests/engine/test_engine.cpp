#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "rendering.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

float largest_difference(const Latent& a, const Latent& b) {
  REQUIRE(a.values.size() == b.values.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

}  // namespace

TEST_CASE("each picture of a batch equals the picture of its seed alone") {
  const auto made = make_engine("fp32", 1);
  const std::vector<Rendered> batch = pictures_of(*made, request(7, 2, 3));
  REQUIRE(batch.size() == 2);
  CHECK(batch[1].seed == 8);
  CHECK(batch[1].latent.shape == std::array<std::int64_t, 4>{1, 4, 12, 8});
  CHECK(batch[1].image.width == 64);
  CHECK(batch[1].image.height == 96);
  const Rendered alone = pictures_of(*made, request(8, 1, 3)).front();
  CHECK(batch[1].latent.values == alone.latent.values);
  CHECK(batch[1].image.rgb == alone.image.rgb);
  CHECK(batch[0].image.rgb != alone.image.rgb);
}

TEST_CASE("threads change a latent by rounding alone") {
  const Rendered one = pictures_of(*make_engine("fp32", 1), request(7, 1, 3)).front();
  const Rendered two = pictures_of(*make_engine("fp32", 2), request(7, 1, 3)).front();
  CHECK(largest_difference(one.latent, two.latent) < 1e-4F);
  const Rendered other = pictures_of(*make_engine("fp32", 1), request(8, 1, 3)).front();
  CHECK(largest_difference(one.latent, other.latent) > 0.1F);
}

TEST_CASE("bf16 renders what fp32 does, roughly") {
  const Rendered full = pictures_of(*make_engine("fp32", 1), request(7, 1, 1)).front();
  const Rendered low = pictures_of(*make_engine("bf16", 1), request(7, 1, 1)).front();
  CHECK(low.dtype == "bf16");
  CHECK(largest_difference(full.latent, low.latent) < 1.0F);
  CHECK(largest_difference(full.latent, low.latent) > 0.0F);
}

TEST_CASE("steps are counted over the whole batch") {
  const auto made = make_engine("fp32", 1);
  std::vector<int> done;
  made->render(
      request(7, 2, 1),
      [&](int step, int all) {
        CHECK(all == 4);
        done.push_back(step);
      },
      [](const Rendered&) {});
  CHECK(done == std::vector<int>{1, 2, 3, 4});
}

TEST_CASE("parts that went after a request come back for the next, and those kept give the same") {
  const auto made = make_engine("fp32", 1);
  const Rendered first = pictures_of(*made, request(7, 1, 3)).front();
  RenderRequest keeping = request(7, 1, 3);
  keeping.keep_parts = true;
  const Rendered second = pictures_of(*made, keeping).front();
  CHECK(second.timings.load > 0);
  const Rendered third = pictures_of(*made, keeping).front();
  CHECK(third.timings.load == 0);
  CHECK(first.latent.values == second.latent.values);
  CHECK(first.latent.values == third.latent.values);
  for (const Rendered& each : {first, second, third}) {
    CHECK(each.timings.of(PartKind::denoiser) > 0);
    CHECK(each.timings.of(PartKind::vae_decoder) > 0);
    CHECK(each.timings.of(PartKind::text_encoder) > 0);
    CHECK(each.timings.of(PartKind::vae_encoder) == 0);
  }
}
