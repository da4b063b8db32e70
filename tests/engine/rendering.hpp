// Small requests to the bundled model.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../folder.hpp"
#include "core/sampling/schedules.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/tokenizer_files.hpp"
#include "lapis/engine.hpp"
#include "lapis/error.hpp"

extern "C" lapis::Engine* lapis_make_engine(const lapis::EngineOptions& options, std::optional<lapis::Error>* error);

namespace lapis::engine {

inline const Model& model() {
  static const Model read = io::read_model(lapis::test::models() / "tiny-sd15");
  return read;
}

inline std::unique_ptr<Engine> make_engine(const std::string& dtype, int threads) {
  std::optional<Error> error;
  std::unique_ptr<Engine> made(lapis_make_engine({"cpu", dtype, threads}, &error));
  REQUIRE(made);
  made->load(model());
  return made;
}

inline RenderRequest request(std::int64_t seed, int batch, double guidance) {
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

inline std::vector<Rendered> pictures_of(Engine& made, const RenderRequest& asked) {
  std::vector<Rendered> pictures;
  made.render(asked, nullptr, [&](const Rendered& picture) { pictures.push_back(picture); });
  return pictures;
}

}  // namespace lapis::engine
