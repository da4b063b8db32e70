#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "io/latent/latent_container.hpp"
#include "io/latent/npy.hpp"
#include "io/latent/untagged_latent.hpp"
#include "latents.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

struct Tensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;

  explicit Tensor(std::vector<std::int64_t> sides) : shape(std::move(sides)) {
    std::size_t count = 1;
    for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
    for (std::size_t i = 0; i < count; ++i) values.push_back(std::sin(static_cast<float>(i) * 1.7F) * 1.4F);
  }
  TensorView view() const { return {Dtype::f32, shape, std::as_bytes(std::span(values))}; }
  std::vector<std::byte> safetensors(const std::string& name) const {
    Safetensors content;
    content.tensors[name] = view();
    return safetensors_bytes(content);
  }
};

}  // namespace

TEST_CASE("lapis' own latents say their space, others only if it is told") {
  CHECK(has_space(latent_bytes(finished_latent()), "a", {}));
  const std::vector<std::byte> file = Tensor({1, 4, 2, 3}).safetensors("latents");
  CHECK_FALSE(has_space(file, "a", {}));
  LatentHints hints;
  hints.space = core::parse_space("sd15");
  CHECK(has_space(file, "a", hints));
  CHECK_THROWS_AS(has_space(as_bytes("text"), "a", {}), Error);
}

TEST_CASE("a latent of an unknown space is read by its shape") {
  const Tensor tensor({2, 4, 2, 3});
  const UntaggedLatent found = read_untagged(tensor.safetensors("latents"), "a", {});
  CHECK(found.statistics.channels.front().max == *std::max_element(tensor.values.begin(), tensor.values.begin() + 6));
  CHECK(found.statistics.channels.size() == 4);
  CHECK(found.has_size);
  REQUIRE_FALSE(found.fits.empty());
  for (const core::SpaceMatch& fit : found.fits) CHECK(core::parse_space(fit.space).channels == 4);
}

TEST_CASE("arrays and single pictures are read too, whatever their units") {
  CHECK(read_untagged(npy_bytes(Tensor({1, 16, 2, 4}).view()), "a", {}).statistics.channels.size() == 16);
  CHECK(read_untagged(npy_bytes(Tensor({4, 2, 3}).view()), "a", {}).statistics.channels.size() == 4);
}

TEST_CASE("latents of a video are told from those of pictures, in every format") {
  const Tensor video({1, 16, 9, 2, 3});
  const Tensor frame({1, 16, 1, 2, 3});
  const std::string what = "holds latents of a video, [1, 16, 9, 2, 3]: 9 frames of 16 channels";
  for (const char* tensor : {"latents", "latent_tensor"}) {
    CHECK_THROWS_WITH(read_untagged(video.safetensors(tensor), "a", {}), Catch::Contains(what));
    CHECK_THROWS_WITH(open_latent_container(video.safetensors(tensor), "a"), Catch::Contains(what));
  }
  CHECK_THROWS_WITH(read_untagged(npy_bytes(video.view()), "a", {}), Catch::Contains(what));
  CHECK_THROWS_WITH(read_untagged(frame.safetensors("latents"), "a", {}), Catch::Contains("1 frame of 16 channels"));
}

TEST_CASE("units that a format tells are no question") {
  for (const core::SpaceMatch& fit : read_untagged(Tensor({1, 4, 2, 3}).safetensors("latents"), "a", {}).fits) {
    CHECK(fit.units == Units::model);
  }
  LatentHints hints;
  hints.units = Units::vae;
  const std::vector<std::byte> array = npy_bytes(Tensor({1, 4, 2, 3}).view());
  for (const core::SpaceMatch& fit : read_untagged(array, "a", hints).fits) CHECK(fit.units == Units::vae);
  CHECK(read_untagged(array, "a", {}).fits.size() > read_untagged(array, "a", hints).fits.size());
}

TEST_CASE("packed tokens show their channels without a size, and their sides with one") {
  for (const bool array : {false, true}) {
    const Tensor tensor({1, 6, 64});
    const std::vector<std::byte> file = array ? npy_bytes(tensor.view()) : tensor.safetensors("latents");
    const UntaggedLatent found = read_untagged(file, "a", {});
    CHECK(found.latent.layout == core::Layout::packed);
    CHECK(found.statistics.channels.size() == 16);
    CHECK_FALSE(found.has_size);
    LatentHints hints;
    hints.size = PixelSize{48, 32};
    const UntaggedLatent sized = read_untagged(file, "a", hints);
    CHECK(sized.has_size);
    CHECK(sized.latent.passport.shape == std::array<std::int64_t, 4>{1, 16, 4, 6});
    CHECK(sized.statistics.channels.front().mean == Approx(found.statistics.channels.front().mean));
  }
}

TEST_CASE("NaN is counted, not refused") {
  Tensor tensor({1, 4, 2, 2});
  tensor.values[5] = NAN;
  CHECK(read_untagged(tensor.safetensors("latents"), "a", {}).statistics.channels[1].not_finite == 1);
}

TEST_CASE("a shape that no space has is refused with it") {
  CHECK_THROWS_WITH(read_untagged(Tensor({1, 5, 2, 2}).safetensors("latents"), "a.safetensors", {}),
                    Catch::Contains("a.safetensors has a tensor [1, 5, 2, 2]"));
  CHECK_THROWS_WITH(read_untagged(Tensor({4, 4}).safetensors("latents"), "a", {}), Catch::Contains("[4, 4]"));
}

TEST_CASE("what is told is held against the file all the same") {
  LatentHints hints;
  hints.size = PixelSize{64, 64};
  CHECK_THROWS_AS(read_untagged(Tensor({1, 4, 2, 2}).safetensors("latents"), "a", hints), Error);
}
