#include <catch2/catch.hpp>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "lapis/error.hpp"

using namespace lapis;

namespace {

/// One partially denoised picture of 2 x 3 cells, all of whose numbers are `value`; what its sampler remembers is one
/// more.
Latent picture(float value) {
  Latent latent;
  latent.space = core::find_space("sd15")->space;
  latent.shape = {1, 4, 2, 3};
  latent.values.assign(24, value);
  latent.sigma = 2;
  latent.step = 3;
  latent.draws = 1;
  latent.memory = {std::vector<float>(24, value + 1)};
  return latent;
}

}  // namespace

TEST_CASE("pictures laid into a batch come out as they were") {
  Latent batch;
  for (const float value : {1.F, 5.F, 9.F}) core::append(batch, picture(value));
  CHECK(batch.shape[0] == 3);
  CHECK(batch.values.size() == 72);
  CHECK(batch.memory.front().size() == 72);
  for (int i = 0; i < 3; ++i) {
    const Latent expected = picture(static_cast<float>(1 + 4 * i));
    const Latent found = core::picture_of(batch, i);
    CHECK(found.shape == expected.shape);
    CHECK(found.values == expected.values);
    CHECK(found.memory == expected.memory);
    CHECK(found.sigma == expected.sigma);
    CHECK(found.step == expected.step);
    CHECK(found.draws == expected.draws);
    CHECK(found.space == expected.space);
  }
}

TEST_CASE("what does not belong together is not laid together") {
  Latent batch = picture(1);
  Latent other = picture(2);
  SECTION("another size") { other.shape = {1, 4, 3, 2}; }
  SECTION("another space") { other.space.lineage = "other"; }
  SECTION("further on") { other.step = 4; }
  SECTION("another memory") { other.memory.clear(); }
  CHECK_THROWS_AS(core::append(batch, other), Error);
}

TEST_CASE("a batch has no picture beyond its last") {
  CHECK_THROWS_AS(core::picture_of(picture(1), 1), Error);
  CHECK_THROWS_AS(core::picture_of(picture(1), -1), Error);
}

TEST_CASE("a latent shows a picture of its cells times its downscale") {
  Passport passport;
  passport.space = core::find_space("sd15")->space;
  passport.shape = {1, 4, 16, 24};
  CHECK(core::picture_size(passport) == PixelSize{192, 128});
  CHECK(core::size_text(core::picture_size(passport)) == "192 x 128");
}
