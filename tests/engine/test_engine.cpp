#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "core/schedules.hpp"
#include "io/model_folder.hpp"
#include "io/tokenizer_files.hpp"
#include "lapis/engine.hpp"
#include "lapis/error.hpp"

extern "C" lapis::Engine* lapis_make_engine(const lapis::EngineOptions& options, int* error_kind,
                                            std::string* error_text);

using namespace lapis;

namespace {

const Model& model() {
  static const Model read = io::read_model(std::filesystem::path(LAPIS_TESTS_DIR).parent_path() / "models/tiny-sd15");
  return read;
}

std::unique_ptr<Engine> engine(const std::string& dtype, int threads) {
  int kind = 0;
  std::string text;
  std::unique_ptr<Engine> made(lapis_make_engine({"cpu", dtype, threads}, &kind, &text));
  REQUIRE(made);
  made->load(model());
  return made;
}

RenderRequest request(std::int64_t seed, int batch, double guidance) {
  RenderRequest made;
  const core::ClipTokenizer tokenizer = io::read_clip_tokenizer(model().tokenizers.at("tokenizer"));
  made.job.width = 64;
  made.job.height = 96;
  made.job.steps = 2;
  made.job.seed = seed;
  made.job.batch = batch;
  made.job.guidance = guidance;
  made.job.sampler = "euler";
  made.schedule = core::make_schedule(model().sampling, model().sampling.spacing, made.job.steps);
  const auto tokens = [&](const std::string& text) {
    std::vector<std::int64_t> ids = tokenizer.encode(text).ids;
    std::vector<float> weights(ids.size(), 1.0F);
    return Tokens{{std::move(ids), std::move(weights)}};
  };
  made.prompt["tokenizer"] = tokens("a serene lakeside at sunset");
  made.negative["tokenizer"] = tokens("");
  return made;
}

std::vector<Rendered> render(Engine& made, const RenderRequest& asked) {
  std::vector<Rendered> pictures;
  made.render(asked, nullptr, [&](const Rendered& picture) { pictures.push_back(picture); });
  return pictures;
}

float largest_difference(const Latent& a, const Latent& b) {
  REQUIRE(a.values.size() == b.values.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

}  // namespace

TEST_CASE("each picture of a batch equals the picture of its seed alone") {
  const auto made = engine("fp32", 1);
  const std::vector<Rendered> batch = render(*made, request(7, 2, 3));
  REQUIRE(batch.size() == 2);
  CHECK(batch[1].seed == 8);
  CHECK(batch[1].latent.shape == std::array<std::int64_t, 4>{1, 4, 12, 8});
  CHECK(batch[1].image.width == 64);
  CHECK(batch[1].image.height == 96);
  const Rendered alone = render(*made, request(8, 1, 3)).front();
  CHECK(batch[1].latent.values == alone.latent.values);
  CHECK(batch[1].image.rgb == alone.image.rgb);
  CHECK(batch[0].image.rgb != alone.image.rgb);
}

TEST_CASE("threads change a latent by rounding alone") {
  const Rendered one = render(*engine("fp32", 1), request(7, 1, 3)).front();
  const Rendered two = render(*engine("fp32", 2), request(7, 1, 3)).front();
  CHECK(largest_difference(one.latent, two.latent) < 1e-4F);
  const Rendered other = render(*engine("fp32", 1), request(8, 1, 3)).front();
  CHECK(largest_difference(one.latent, other.latent) > 0.1F);
}

TEST_CASE("bf16 renders what fp32 does, roughly") {
  const Rendered full = render(*engine("fp32", 1), request(7, 1, 1)).front();
  const Rendered low = render(*engine("bf16", 1), request(7, 1, 1)).front();
  CHECK(low.dtype == "bf16");
  CHECK(largest_difference(full.latent, low.latent) < 1.0F);
  CHECK(largest_difference(full.latent, low.latent) > 0.0F);
}

TEST_CASE("steps are counted over the whole batch") {
  const auto made = engine("fp32", 1);
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
