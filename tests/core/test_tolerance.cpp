#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "core/picture/tolerance.hpp"
#include "core/text/names.hpp"

using namespace lapis::core;

namespace {

/// Pictures of 1000 values, of which 2 differ, by 3 at most; none of it is at the border of a default.
Difference sample() {
  Difference difference;
  difference.values = 1000;
  difference.different = 2;
  difference.above_fail = 2;
  difference.above_warn = 2;
  difference.largest = 3;
  difference.mean = 0.005;
  difference.worst = {0, 1, 12, 40, 17, 20};
  difference.picture = PictureMeasures{334, 2, 31.25, 0.75, 0.125, 5, 6};
  return difference;
}

/// Thresholds of which a difference keeps every one.
constexpr Tolerance loose = {.fail_percent = 100, .hard_fail = std::nullopt};

/// The threshold that is not kept, and its text; empty where all are.
std::array<std::string, 2> breach(const Tolerance& tolerance) {
  const Judgement judgement = judge(sample(), tolerance);
  REQUIRE(judgement.breaches.size() <= 1);
  if (judgement.equal()) return {};
  return {judgement.breaches.front().threshold, plain(judgement.breaches.front().text)};
}

Tolerance with(double Tolerance::*member, double value) {
  Tolerance tolerance = loose;
  tolerance.*member = value;
  return tolerance;
}

Tolerance with(std::optional<double> Tolerance::*member, double value) {
  Tolerance tolerance = loose;
  tolerance.*member = value;
  return tolerance;
}

}  // namespace

TEST_CASE("what equals a threshold is within it, and what is beyond is said") {
  using Texts = std::array<std::string, 2>;
  CHECK(breach(loose) == Texts{});
  CHECK(breach(with(&Tolerance::hard_fail, 3)) == Texts{});
  CHECK(breach(with(&Tolerance::hard_fail, 2.9)) == Texts{"hard_fail", "3 levels, more than hard_fail 2.9"});
  CHECK(breach(with(&Tolerance::fail_percent, 0.2)) == Texts{});
  CHECK(breach(with(&Tolerance::fail_percent, 0.19)) ==
        Texts{"fail_percent", "0.2 % of values differ, more than fail_percent 0.19"});
  CHECK(breach(with(&Tolerance::min_psnr, 31.25)) == Texts{});
  CHECK(breach(with(&Tolerance::min_psnr, 31.3)) == Texts{"min_psnr", "PSNR 31.25 dB, less than min_psnr 31.3"});
  CHECK(breach(with(&Tolerance::min_ssim, 0.75)) == Texts{});
  CHECK(breach(with(&Tolerance::min_ssim, 0.76)) == Texts{"min_ssim", "SSIM 0.7500, less than min_ssim 0.76"});
  CHECK(breach(with(&Tolerance::max_flip, 0.125)) == Texts{});
  CHECK(breach(with(&Tolerance::max_flip, 0.1)) ==
        Texts{"max_flip", "FLIP 0.1250, most at x 5, y 6, more than max_flip 0.1"});
  CHECK(place_text(sample()) == "x 12, y 40: green is 17 and 20");
}

TEST_CASE("every threshold that is not kept is said") {
  const Judgement judgement = judge(sample(), {});
  REQUIRE(judgement.breaches.size() == 2);
  CHECK(judgement.breaches[0].threshold == "hard_fail");
  CHECK(judgement.breaches[1].threshold == "fail_percent");
}

TEST_CASE("a warning leaves sides equal") {
  Tolerance tolerance = loose;
  tolerance.warn = 1;
  tolerance.warn_percent = 0.2;
  CHECK_FALSE(judge(sample(), tolerance).warning);
  tolerance.warn_percent = 0;
  const Judgement judgement = judge(sample(), tolerance);
  CHECK(judgement.equal());
  REQUIRE(judgement.warning);
  CHECK(judgement.warning->threshold == "warn_percent");
  CHECK_THAT(plain(judgement.warning->text),
             Catch::Equals("0.2 % of values differ by more than warn 1, more than warn_percent 0"));
}

TEST_CASE("what is not measured keeps no threshold, but that of identical pictures") {
  Difference small = sample();
  small.picture->ssim = std::nullopt;
  const Judgement judgement = judge(small, with(&Tolerance::min_ssim, 0));
  REQUIRE(judgement.breaches.size() == 1);
  CHECK_THAT(plain(judgement.breaches[0].text), Catch::Contains("not measured of sides below 11 pixels"));
  small.different = 0;
  CHECK(judge(small, with(&Tolerance::min_ssim, 1)).equal());
}

TEST_CASE("latents are within 1e-4, whatever their pictures' thresholds") {
  Difference latent = sample();
  latent.picture = std::nullopt;
  latent.largest = 1e-4;
  latent.worst = {2, 1, 3, 4, 0.25, 0.2501};
  Tolerance tolerance = latent_tolerance();
  tolerance.min_psnr = 99;
  CHECK(judge(latent, tolerance).equal());
  latent.largest = 1.01e-4;
  const Judgement judgement = judge(latent, tolerance);
  REQUIRE(judgement.breaches.size() == 1);
  CHECK(plain(judgement.breaches[0].text) == "0.000101, more than hard_fail 0.0001");
  CHECK(place_text(latent) == "picture 2, channel 1, x 3, y 4: 0.25 and 0.2501");
}

TEST_CASE("amounts and shares are said in few digits") {
  Difference difference;
  CHECK(amount_text(difference, 0.00021) == "0.00021");
  difference.picture = PictureMeasures{};
  CHECK(amount_text(difference, 1) == "1 level");
  CHECK(amount_text(difference, 0.31249) == "0.3125 levels");
  CHECK(share_text(812, 12288) == "812 of 12288 (6.608 %)");
  CHECK(share_text(0, 0) == "0 of 0 (0 %)");
}

TEST_CASE("a threshold has a range, and naming one replaces what it stands for") {
  for (const Threshold& row : thresholds()) {
    const std::string key(row.name);
    for (const double value : {-1.0, std::nan(""), double{INFINITY}, row.limits.highest * 1.01}) {
      AskedTolerance asked = {{"warn", 1}};
      asked[key] = value;
      CHECK_THROWS_WITH(picture_tolerance(asked),
                        Catch::StartsWith(key + " is ") && Catch::Contains("; expected 0 to "));
      asked[key] = row.limits.highest;
      CHECK_NOTHROW(picture_tolerance(asked));
    }
  }
  CHECK_THROWS_WITH(picture_tolerance({{"warn_percent", 1}}), Catch::Contains("which is not given"));
  CHECK(picture_tolerance({}).hard_fail == 1);
  CHECK(picture_tolerance({}).fail_percent == 0.1);
  CHECK(latent_tolerance({}).hard_fail == 1e-4);
  CHECK(latent_tolerance({}).fail_percent == 100);
  CHECK_FALSE(picture_tolerance({{"fail", 3}}).hard_fail);
  CHECK(picture_tolerance({{"fail", 3}, {"hard_fail", 9}}).hard_fail == 9);
  CHECK(latent_tolerance({{"fail", 0.1}}).fail_percent == 0.1);
  CHECK(latent_tolerance({{"fail", 0.1}, {"fail_percent", 2}}).fail_percent == 2);
}
