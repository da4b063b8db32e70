#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
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

double confidence_in(const std::vector<SpaceMatch>& matches, const std::string& space, Units units) {
  for (const SpaceMatch& match : matches) {
    if (match.space == space && match.units == units) return match.confidence;
  }
  return -1;
}

}  // namespace

TEST_CASE("statistics are those of the values, whatever their count") {
  for (const std::int64_t width : {1, 7, 8, 9, 37}) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(2, 3);
    const std::array<std::int64_t, 4> shape = {2, 3, 5, width};
    std::vector<float> values(static_cast<std::size_t>(2 * 3 * 5 * width));
    for (float& value : values) value = normal(random);
    const std::vector<ChannelStatistics> found = channel_statistics(values, shape);
    REQUIRE(found.size() == 3);
    const auto plane = static_cast<std::size_t>(5 * width);
    for (std::size_t c = 0; c < 3; ++c) {
      INFO(width << " wide, channel " << c);
      std::vector<double> own;
      for (const std::size_t start : {c * plane, (3 + c) * plane}) {
        for (std::size_t i = 0; i < plane; ++i) own.push_back(static_cast<double>(values[start + i]));
      }
      double mean = 0;
      for (const double value : own) mean += value / static_cast<double>(own.size());
      double squares = 0;
      for (const double value : own) squares += (value - mean) * (value - mean) / static_cast<double>(own.size());
      CHECK(found[c].mean == Approx(mean).epsilon(1e-12));
      CHECK(found[c].deviation == Approx(std::sqrt(squares)).epsilon(1e-9));
      CHECK(static_cast<double>(found[c].min) == *std::min_element(own.begin(), own.end()));
      CHECK(static_cast<double>(found[c].max) == *std::max_element(own.begin(), own.end()));
      CHECK(found[c].not_finite == 0);
    }
  }
}

TEST_CASE("what is no number is counted and left out") {
  std::vector<float> values(20, 1);
  values[0] = NAN;
  values[9] = INFINITY;
  values[18] = -INFINITY;
  values[19] = 3;
  values.insert(values.end(), 20, NAN);
  const std::vector<ChannelStatistics> found = channel_statistics(values, {1, 2, 4, 5});
  CHECK(found[0].not_finite == 3);
  CHECK(found[0].mean == Approx(19.0 / 17));
  CHECK(found[0].min == 1);
  CHECK(found[0].max == 3);
  CHECK(found[1].not_finite == 20);
  CHECK(found[1].mean == 0);
  CHECK(found[1].deviation == 0);
  CHECK(found[1].min == 0);
  CHECK(found[1].max == 0);
}

TEST_CASE("one value that is no number spoils no other, wherever it lies in a large plane") {
  for (const std::size_t place : {0UL, 1023UL, 1024UL, 2999UL, 3000UL}) {
    std::vector<float> values(3001, 2);
    values[place] = -NAN;
    const ChannelStatistics found = channel_statistics(values, {1, 1, 1, 3001}).front();
    CHECK(found.not_finite == 1);
    CHECK(found.mean == 2);
    CHECK(found.min == 2);
  }
}

TEST_CASE("the largest numbers are numbers") {
  constexpr float largest = std::numeric_limits<float>::max();
  const std::vector<float> values = {largest, -largest, 0, -0.0F, 1e-45F, -1e-45F, 1, -1};
  const ChannelStatistics found = channel_statistics(values, {1, 1, 1, 8}).front();
  CHECK(found.not_finite == 0);
  CHECK(found.min == -largest);
  CHECK(found.max == largest);
}

TEST_CASE("a constant channel deviates by nothing, however large it is") {
  const std::vector<float> values(1000, 12345.678F);
  CHECK(channel_statistics(values, {1, 1, 10, 100}).front().deviation == Approx(0).margin(1e-2));
}

TEST_CASE("readings have confidences that add up to 1, the likeliest first") {
  for (const char* space : {"sd15", "sdxl", "flux", "hunyuanimage21"}) {
    const std::vector<SpaceMatch> matches = fitting_spaces(channels_of(space, Units::model));
    double sum = 0;
    for (const SpaceMatch& match : matches) sum += match.confidence;
    CHECK(sum == Approx(1));
    CHECK(std::is_sorted(matches.begin(), matches.end(),
                         [](const SpaceMatch& a, const SpaceMatch& b) { return a.confidence > b.confidence; }));
    for (const SpaceMatch& match : matches) CHECK(parse_space(match.space).channels == parse_space(space).channels);
  }
  CHECK(fitting_spaces(std::vector<ChannelStatistics>(5)).empty());
}

TEST_CASE("raw values are told from model values, and from raw values of another size") {
  const std::vector<SpaceMatch> sd15 = fitting_spaces(channels_of("sd15", Units::vae));
  CHECK(confidence_in(sd15, "sd15", Units::vae) > confidence_in(sd15, "sdxl", Units::vae));
  CHECK(confidence_in(sd15, "sd15", Units::vae) > 20 * confidence_in(sd15, "sd15", Units::model));
  const std::vector<SpaceMatch> sd3 = fitting_spaces(channels_of("sd3", Units::vae));
  CHECK(confidence_in(sd3, "sd3", Units::vae) > 20 * confidence_in(sd3, "flux", Units::vae));
}

TEST_CASE("model values of spaces that nobody has measured cannot be told apart, and that is said") {
  const std::vector<SpaceMatch> matches = fitting_spaces(channels_of("sd15", Units::model));
  CHECK(confidence_in(matches, "sd15", Units::model) == Approx(confidence_in(matches, "sdxl", Units::model)));
  CHECK(confidence_in(matches, "sd15", Units::model) < 0.5);
}

TEST_CASE("the likeliest readings are told in words, the rest counted") {
  const auto match = [](const char* space, Units units, double confidence) {
    return SpaceMatch{space, units, confidence};
  };
  CHECK(matches_text({}, {}) == "fit no space that lapis knows: none has as many channels");
  const std::vector<SpaceMatch> two = {match("sd15", Units::model, 0.716), match("sdxl", Units::vae, 0.28),
                                       match("sd2", Units::vae, 0.004)};
  CHECK(matches_text(two, {}) == "fit sd15 in model units (72 %), sdxl in raw VAE units (28 %)");
  const std::vector<SpaceMatch> many(7, match("sd15", Units::model, 1.0 / 7));
  CHECK_THAT(matches_text(many, {}), Catch::EndsWith("(14 %) and 2 others"));
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

TEST_CASE("what the form of a file tells leaves other readings out") {
  const std::vector<ChannelStatistics> channels = channels_of("flux", Units::model);
  const std::vector<SpaceMatch> raw = fitting_spaces(channels, {Units::vae, false});
  double sum = 0;
  for (const SpaceMatch& match : raw) {
    CHECK(match.units == Units::vae);
    sum += match.confidence;
  }
  CHECK(sum == Approx(1));
  for (const SpaceMatch& match : fitting_spaces(channels, {std::nullopt, true}))
    CHECK(parse_space(match.space).id == "flux");
  CHECK(fitting_spaces(channels_of("sd15", Units::model), {std::nullopt, true}).empty());
}
