#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <vector>

#include "io/latent/latent_statistics.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

using Statistics = std::vector<core::ChannelStatistics>;

Statistics read(const std::vector<std::byte>& file, const LatentHints& hints = {}) {
  return read_statistics(file, "a", read_passport(file, "a", hints)).channels;
}

void check_equal(const Statistics& found, const Statistics& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t c = 0; c < found.size(); ++c) {
    CHECK(found[c].mean == Approx(expected[c].mean));
    CHECK(found[c].deviation == Approx(expected[c].deviation));
    CHECK(found[c].min == expected[c].min);
    CHECK(found[c].max == expected[c].max);
  }
}

}  // namespace

TEST_CASE("statistics are those of the numbers, in every precision") {
  LatentDocument document = finished_latent();
  for (const LatentDtype dtype : {LatentDtype::f32, LatentDtype::f16, LatentDtype::bf16}) {
    document.passport.dtype = dtype;  // the values are eighths, which all of them hold
    check_equal(read(latent_bytes(document)), core::channel_statistics(document.values, document.passport.shape));
  }
}

TEST_CASE("a partially denoised latent's are those of its latent, not of what its sampler remembers") {
  const LatentDocument document = partial_latent();
  check_equal(read(latent_bytes(document)), core::channel_statistics(document.values, document.passport.shape));
}

TEST_CASE("tokens are taken apart into channels") {
  LatentDocument document = partial_latent();
  document.passport.sigma = 0;
  document.memory.clear();
  for (std::size_t i = 0; i < document.values.size(); ++i) document.values[i] = static_cast<float>(i % 7);
  LatentHints hints;
  hints.space = document.passport.space;
  hints.size = PixelSize{16, 16};
  check_equal(read(write_latent(document, LatentFormat::diffusers), hints),
              core::channel_statistics(document.values, document.passport.shape));
}

TEST_CASE("numbers that lie at an odd address are read all the same") {
  const LatentDocument document = finished_latent();
  const std::vector<std::byte> file = latent_bytes(document);
  std::vector<std::byte> moved(file.size() + 1);
  std::memcpy(moved.data() + 1, file.data(), file.size());
  const std::span<const std::byte> odd = std::span(moved).subspan(1);
  check_equal(read_statistics(odd, "a", read_passport(odd, "a", {})).channels,
              core::channel_statistics(document.values, document.passport.shape));
}

TEST_CASE("NaN in a file is counted") {
  std::vector<std::byte> file = latent_bytes(finished_latent());
  const float nan = NAN;
  std::memcpy(file.data() + file.size() - sizeof nan, &nan, sizeof nan);  // the last number of the last channel
  CHECK(read(file).back().not_finite == 1);
  CHECK(read(file).front().not_finite == 0);
}

TEST_CASE("of more numbers than are asked for, rows that lie evenly stand for all") {
  LatentDocument document = finished_latent();
  Passport& passport = document.passport;
  passport.shape = {2, passport.shape[1], 30, 8};
  const std::int64_t planes = passport.shape[0] * passport.shape[1];
  document.values.clear();
  for (std::int64_t plane = 0; plane < planes; ++plane) {
    for (int row = 0; row < 30; ++row) document.values.insert(document.values.end(), 8, static_cast<float>(row));
  }
  for (const LatentDtype dtype : {LatentDtype::f32, LatentDtype::f16}) {
    passport.dtype = dtype;
    const std::vector<std::byte> file = latent_bytes(document);
    const LatentStatistics all = read_statistics(file, "a", read_passport(file, "a", {}), planes * 30 * 8);
    CHECK(all.row_step == 1);
    CHECK(all.channels.front().max == 29);
    const LatentStatistics tenth = read_statistics(file, "a", read_passport(file, "a", {}), planes * 3 * 8);
    CHECK(tenth.row_step == 10);
    for (const core::ChannelStatistics& channel : tenth.channels) {
      CHECK(channel.max == 20);
      CHECK(channel.mean == Approx(10));
    }
  }
}

TEST_CASE("of packed tokens every so many are looked at") {
  LatentDocument document = partial_latent();
  document.passport.sigma = 0;
  document.memory.clear();
  document.passport.shape = {1, 16, 8, 8};
  document.values.clear();
  for (int i = 0; i < 16 * 64; ++i) document.values.push_back(static_cast<float>(i / 64));  // of channel c: c
  LatentHints hints;
  hints.space = document.passport.space;
  hints.size = PixelSize{64, 64};
  const std::vector<std::byte> file = write_latent(document, LatentFormat::diffusers);
  const LatentStatistics some = read_statistics(file, "a", read_passport(file, "a", hints), 16 * 64 / 5);
  CHECK(some.row_step == 6);
  REQUIRE(some.channels.size() == 16);
  for (std::size_t c = 0; c < 16; ++c) CHECK(some.channels[c].mean == Approx(static_cast<double>(c)));
}
