#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/file/safetensors.hpp"
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
      model(), request(7, 2, 1),
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
  const Rendered second = pictures_of(*made, request(7, 1, 3)).front();
  CHECK(second.timings.load > 0);
  const auto keeping = make_engine("fp32", 1, everything);
  const Rendered third = pictures_of(*keeping, request(7, 1, 3)).front();
  const Rendered fourth = pictures_of(*keeping, request(7, 1, 3)).front();
  CHECK(fourth.timings.load == 0);
  for (const Rendered& each : {first, second, third, fourth}) {
    CHECK(each.latent.values == first.latent.values);
    CHECK(each.timings.of(PartKind::denoiser) > 0);
    CHECK(each.timings.of(PartKind::vae_decoder) > 0);
    CHECK(each.timings.of(PartKind::vae_encoder) == 0);
  }
  for (const Rendered& each : {first, third}) CHECK(each.timings.of(PartKind::text_encoder) > 0);
}

TEST_CASE("parts that were made ready are not loaded again") {
  const auto made = make_engine("fp32", 1);
  made->ensure(model(), {PartKind::denoiser, PartKind::text_encoder, PartKind::vae_decoder});
  const double warm = pictures_of(*made, request(7, 1, 3)).front().timings.of(PartKind::denoiser);
  CHECK(warm > 0);
  CHECK_THROWS_WITH(made->ensure(model(), {PartKind::text_encoder_2}), Catch::Contains("has no text_encoder_2"));
}

TEST_CASE("a picture that overflows in half precision changes nothing for the next") {
  const auto made = make_engine("fp16", 1, everything);
  const Latent usual = pictures_of(*make_engine("fp32", 1), request(7, 1, 3)).front().latent;
  Latent huge = usual;
  for (float& value : huge.values) value *= 3e4F;
  const Image before = made->decode(model(), usual, "auto").images.front();
  CHECK(made->decode(model(), huge, "auto").images.front().width == before.width);
  CHECK(made->decode(model(), usual, "auto").images.front().rgb == before.rgb);
}

TEST_CASE("two models alternate: with room for both each is loaded once, without it every time") {
  const Model other = io::read_model(lapis::test::models() / "tiny-sdxl");
  const Latent latent = pictures_of(*make_engine("fp32", 1), request(7, 1, 3)).front().latent;
  const auto loads = [&](std::uint64_t keep_bytes) {
    const auto made = make_engine("fp32", 1, keep_bytes);
    int count = 0;
    for (int i = 0; i < 3; ++i) {
      for (const Model* each : {&model(), &other}) {
        const Decoded decoded = made->decode(*each, latent, "auto", true);
        count += decoded.timings.load > 0 ? 1 : 0;
      }
    }
    return count;
  };
  CHECK(loads(everything) == 2);
  CHECK(loads(0) == 6);
  CHECK(loads(1) == 6);
}

TEST_CASE("a model is another where its record is another") {
  const auto made = make_engine("fp32", 1, everything);
  const Latent latent = pictures_of(*made, request(7, 1, 3)).front().latent;
  CHECK(made->decode(Model(model()), latent, "auto").timings.load == 0);
  Model changed = model();
  changed.files.begin()->second.sha256 = std::string(64, '0');
  CHECK(made->decode(changed, latent, "auto").timings.load > 0);
}

TEST_CASE("a request is stopped within one step, and the engine goes on with what it has loaded") {
  const auto made = make_engine("fp32", 1);
  RenderRequest asked = request(7, 2, 1);
  asked.job.steps = 4;
  asked.schedule = core::make_schedule(model().sampling, model().sampling.spacing, asked.job.steps);
  for (const int last : {0, 1, 3, 4, 6}) {
    CAPTURE(last);
    int done = 0;
    int pictures = 0;
    asked.stop = [&] { return done >= last; };
    const RenderEnd end = made->render(
        model(), asked, [&](int step, int) { done = step; }, [&](const Rendered&) { ++pictures; });
    CHECK(end == RenderEnd::stopped);
    CHECK(done == last);
    CHECK(pictures == (last > 4 ? 1 : 0));
  }
  asked.stop = nullptr;
  const std::vector<Rendered> whole = pictures_of(*made, asked);
  REQUIRE(whole.size() == 2);
  CHECK(whole.front().latent.values == pictures_of(*make_engine("fp32", 1), asked).front().latent.values);
}

TEST_CASE("pictures of a batch that are drawn alone are those of the whole batch") {
  const auto made = make_engine("fp32", 1, everything);
  RenderRequest asked = request(7, 3, 1);
  const std::vector<Rendered> whole = pictures_of(*made, asked);
  asked.pictures = {0, 2};
  int all = 0;
  std::vector<Rendered> some;
  made->render(
      model(), asked, [&](int, int steps) { all = steps; }, [&](const Rendered& picture) { some.push_back(picture); });
  CHECK(all == 2 * asked.job.steps);
  REQUIRE(some.size() == 2);
  for (const Rendered& picture : some) {
    const Rendered& same = whole[static_cast<std::size_t>(picture.index)];
    CHECK(picture.seed == same.seed);
    CHECK(picture.image.rgb == same.image.rgb);
    CHECK(picture.latent.values == same.latent.values);
  }
}

TEST_CASE("the VAE computes in a dtype of its own where it is given one") {
  const auto half = make_engine({"cpu", "bf16", 1, "fp32", 0});
  CHECK(half->chosen().dtype == "bf16");
  CHECK(half->chosen().vae_dtype == "fp32");
  CHECK(make_engine("bf16", 1)->chosen().vae_dtype == "bf16");
  const Rendered apart = pictures_of(*half, request(7, 1, 1)).front();
  const Rendered alike = pictures_of(*make_engine("bf16", 1), request(7, 1, 1)).front();
  CHECK(apart.latent.values == alike.latent.values);
  CHECK(apart.image.rgb != alike.image.rgb);
  const Image exact = make_engine("fp32", 1)->decode(model(), apart.latent, "auto").images.front();
  CHECK(apart.image.rgb == exact.rgb);
}

TEST_CASE("a program of another interface is refused an engine") {
  std::optional<Error> error;
  CHECK(lapis_make_engine(lapis_engine_abi + 1, {"cpu", "fp32", 1}, &error) == nullptr);
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::device);
  CHECK_THAT(error->what(), Catch::Contains("another version"));
}

TEST_CASE("another LoRA on a loaded model draws what a fresh engine draws with it, and none what none does") {
  const auto path = std::filesystem::temp_directory_path() / "lapis-test-bias.safetensors";
  const Part& denoiser = model().parts.at("denoiser");
  const std::string parameter = "conv_in.bias";
  const io::SafetensorsFile weights(denoiser.weights.front(), ErrorKind::model);
  const std::vector<std::int64_t> shape = weights.tensors().at(denoiser.prefix + parameter).shape;
  const std::vector<float> diff(static_cast<std::size_t>(shape.front()), 0.5F);
  io::write_safetensors(path, {{{"diff", {io::Dtype::f32, shape, std::as_bytes(std::span(diff))}}}, {}}, true);
  const auto scaled = [&](double scale) {
    RenderRequest asked = request(7, 1, 1);
    asked.attachments.parts[PartKind::denoiser].deltas = {
        {path, parameter, DeltaKind::full, {{"diff", "diff"}}, scale, {}}};
    return asked;
  };
  const auto latent = [](Engine& made, const RenderRequest& asked) {
    return pictures_of(made, asked).front().latent.values;
  };
  const auto made = make_engine("fp32", 1, everything);
  const std::vector<float> none = latent(*made, request(7, 1, 1));
  const std::vector<float> some = latent(*made, scaled(0.5));
  const std::vector<float> more = latent(*made, scaled(1));
  CHECK(some != none);
  CHECK(some == latent(*make_engine("fp32", 1), scaled(0.5)));
  CHECK(more == latent(*make_engine("fp32", 1), scaled(1)));
  CHECK(latent(*made, request(7, 1, 1)) == none);
  std::filesystem::remove(path);
}
