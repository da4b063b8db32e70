#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/space_match.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

/// Channels as a picture of unit spread has them, seen as raw VAE values of `space` or as model values.
std::vector<ChannelStatistics> channels_of(const char* space, Units units) {
  const Space row = parse_space(space);
  std::vector<ChannelStatistics> channels;
  for (int c = 0; c < row.channels; ++c) {
    const double mean = 0.2 * (c % 3 - 1);
    const double deviation = 0.9 + 0.05 * (c % 4);
    ChannelStatistics each;
    const double slope = units == Units::vae ? 1 / row.scale : 1;
    each.mean = mean * slope + (units == Units::vae ? row.shift : 0);
    each.deviation = deviation * slope;
    each.max = 1;  // it has more than one number
    channels.push_back(each);
  }
  return channels;
}

double likelihood_in(const std::vector<SpaceMatch>& matches, const std::string& space, Units units) {
  for (const SpaceMatch& match : matches) {
    if (match.space == space && match.units == units) return match.likelihood;
  }
  FAIL("no such reading");
  return 0;
}

}  // namespace

TEST_CASE("readings are in the order of their likelihood") {
  for (const char* space : {"sd15", "sdxl", "flux", "hunyuanimage21"}) {
    const std::vector<SpaceMatch> matches = fitting_spaces(channels_of(space, Units::model));
    CHECK(std::ranges::is_sorted(matches, std::greater(), &SpaceMatch::likelihood));
    for (const SpaceMatch& match : matches) CHECK(parse_space(match.space).channels == parse_space(space).channels);
  }
  CHECK(fitting_spaces(std::vector<ChannelStatistics>(5)).empty());
}

TEST_CASE("raw values are told from model values, and from raw values of another size") {
  const std::vector<SpaceMatch> sd15 = fitting_spaces(channels_of("sd15", Units::vae));
  CHECK(likelihood_in(sd15, "sd15", Units::vae) > likelihood_in(sd15, "sdxl", Units::vae));
  CHECK(likelihood_in(sd15, "sd15", Units::vae) > std::log(20) + likelihood_in(sd15, "sd15", Units::model));
  const std::vector<SpaceMatch> sd3 = fitting_spaces(channels_of("sd3", Units::vae));
  CHECK(likelihood_in(sd3, "sd3", Units::vae) > std::log(20) + likelihood_in(sd3, "flux", Units::vae));
}

TEST_CASE("model values of spaces that nobody has measured cannot be told apart, and that is said") {
  const std::vector<SpaceMatch> matches = fitting_spaces(channels_of("sd15", Units::model));
  CHECK(likelihood_in(matches, "sd15", Units::model) == Approx(likelihood_in(matches, "sdxl", Units::model)));
}

TEST_CASE("the likeliest readings are told in words, the rest counted") {
  CHECK(matches_text({}, {}) == "fit no space that lapis knows: none has as many channels");
  const std::vector<SpaceMatch> two = {
      {"sd15", Units::model, -3}, {"sdxl", Units::vae, -4}, {"sd2", Units::vae, -3 + std::log(0.009)}};
  CHECK(matches_text(two, {}) == "fit sd15 in model units, sdxl in raw VAE units");
  const std::vector<SpaceMatch> many(7, SpaceMatch{"sd15", Units::model, -3});
  CHECK_THAT(matches_text(many, {}), Catch::EndsWith("sd15 in model units and 2 others"));
}

TEST_CASE("numbers that say nothing fit no space, and that is said") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto text_of = [](const std::vector<float>& values) {
    const std::vector<ChannelStatistics> channels = channel_statistics(values, {1, 4, 1, 4});
    const std::vector<SpaceMatch> matches = fitting_spaces(channels);
    const std::string text = matches_text(matches, channels);
    CHECK(matches.empty() == (text.find("no space can be told") != std::string::npos));
    return text;
  };
  std::vector<float> values(16, 0);
  CHECK(text_of(values) == "are all zero: no space can be told");
  values.assign(16, -0.0F);
  CHECK(text_of(values) == "are all zero: no space can be told");
  values.assign(16, 0.3F);
  CHECK(text_of(values) == "are one number throughout in 4 of 4 channels: no space can be told");
  values.assign(16, nan);
  CHECK(text_of(values) == "are NaN or Inf in 16 of 16 values: no space can be told");
  values.assign(16, -infinity);
  CHECK(text_of(values) == "are NaN or Inf in 16 of 16 values: no space can be told");
  for (std::size_t i = 0; i < 16; ++i) values[i] = static_cast<float>(i % 5) - 2;
  CHECK_THAT(text_of(values), Catch::StartsWith("fit ") && !Catch::Contains("NaN"));
  values[3] = nan;
  CHECK_THAT(text_of(values),
             Catch::StartsWith("fit ") && Catch::EndsWith("NaN or Inf in 1 of 16 values are left out"));
  std::fill_n(values.begin() + 4, 4, 1.0F);
  values[3] = 0;
  CHECK(text_of(values) == "are one number throughout in 1 of 4 channels: no space can be told");
  std::fill_n(values.begin() + 4, 4, nan);
  CHECK(text_of(values) == "are NaN or Inf in 4 of 16 values: no space can be told");
}

TEST_CASE("what the format of a file says leaves other readings out") {
  const std::vector<ChannelStatistics> channels = channels_of("flux", Units::model);
  const std::vector<SpaceMatch> raw = fitting_spaces(channels, {Units::vae, false});
  REQUIRE_FALSE(raw.empty());
  for (const SpaceMatch& match : raw) CHECK(match.units == Units::vae);
  for (const SpaceMatch& match : fitting_spaces(channels, {std::nullopt, true}))
    CHECK(parse_space(match.space).id == "flux");
  CHECK(fitting_spaces(channels_of("sd15", Units::model), {std::nullopt, true}).empty());
}
