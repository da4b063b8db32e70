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

extern "C" lapis::Engine* lapis_make_engine(int abi, const lapis::EngineOptions& options,
                                            std::optional<lapis::Error>* error);

namespace lapis::engine {

inline const Model& model() {
  static const Model read = io::read_model(lapis::test::models() / "tiny-sd15");
  return read;
}

inline std::unique_ptr<Engine> make_engine(const EngineOptions& options) {
  std::optional<Error> error;
  std::unique_ptr<Engine> made(lapis_make_engine(lapis_engine_abi, options, &error));
  REQUIRE(made);
  return made;
}

/// Keeps no part whose work is done, unless `keep_bytes` says so.
inline std::unique_ptr<Engine> make_engine(const std::string& dtype, int threads, std::uint64_t keep_bytes = 0) {
  return make_engine({"cpu", dtype, threads, "auto", keep_bytes});
}

inline constexpr std::uint64_t everything = ~std::uint64_t{0};  ///< bytes to keep: no part goes

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
  made.render(model(), asked, nullptr, [&](const Rendered& picture) { pictures.push_back(picture); });
  return pictures;
}

}  // namespace lapis::engine
