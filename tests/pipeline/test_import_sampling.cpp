#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "pipeline/import/import_sampling.hpp"
#include "pipeline/model_catalog.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;

namespace {

SamplingSources sources_of(const std::filesystem::path& folder) {
  SamplingSources sources;
  sources.folder = folder;
  sources.weights = "a.safetensors";
  sources.title = "Stable Diffusion 1.x";
  return sources;
}

/// A folder of diffusers with a scheduler of this class, for v.
void write_scheduler(const std::filesystem::path& folder, const std::string& name) {
  io::test::write_text(
      folder / "scheduler/scheduler_config.json",
      R"({"_class_name": ")" + name + R"(", "num_train_timesteps": 1000, "beta_start": 0.00085,)" +
          R"("beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "v_prediction"})");
}

}  // namespace

TEST_CASE("a scheduler's class and keys decide how the model is sampled, and what jobs take") {
  const io::test::TemporaryFolder folder;
  write_scheduler(folder.path(), "HeunDiscreteScheduler");
  ModelCatalog catalog;
  Model model = catalog.open("tiny-sd15");
  std::vector<std::string> notes;
  decide_sampling(sources_of(folder.path()), model, notes);
  CHECK(model.sampling.prediction == Prediction::v);
  CHECK(model.defaults.sampler == "heun");
  CHECK(notes.empty());
}

TEST_CASE("a class whose sampler lapis has not leaves the usual one, and is noted") {
  const io::test::TemporaryFolder folder;
  write_scheduler(folder.path(), "DPMSolverSinglestepScheduler");
  ModelCatalog catalog;
  Model model = catalog.open("tiny-sd15");
  std::vector<std::string> notes;
  decide_sampling(sources_of(folder.path()), model, notes);
  CHECK(model.defaults.sampler == "euler");
  REQUIRE_FALSE(notes.empty());
  CHECK_THAT(notes.front(), Catch::EndsWith(": lapis has no sampler of DPMSolverSinglestepScheduler; jobs take euler"));
}

TEST_CASE("without a scheduler the architecture's own is kept, unless something else is wished") {
  const io::test::TemporaryFolder folder;
  ModelCatalog catalog;
  const Model own = catalog.open("tiny-sd15");
  Model model = own;
  std::vector<std::string> notes;
  decide_sampling(sources_of(folder.path()), model, notes);
  CHECK(model.sampling == own.sampling);
  CHECK(model.defaults == own.defaults);
  SamplingSources wished = sources_of(folder.path());
  wished.wish.prediction = "v";
  decide_sampling(wished, model, notes);
  CHECK(model.sampling.prediction == Prediction::v);
}

TEST_CASE("a scheduler of another kind of network is refused, whichever way round") {
  ModelCatalog catalog;
  std::vector<std::string> notes;
  Model noise = catalog.open("tiny-sd15");
  check_fails(ErrorKind::incompatible,
              {"FlowMatchEulerDiscreteScheduler is for networks that predict a flow's velocity, and Stable Diffusion "
               "1.x is none."},
              [&] { decide_sampling(sources_of(test::models() / "tiny-flux"), noise, notes); });
  Model flow = catalog.open("tiny-flux");
  check_fails(ErrorKind::incompatible, {"is for networks that predict noise or v, and Stable Diffusion 1.x is a flow."},
              [&] { decide_sampling(sources_of(test::models() / "tiny-sd15"), flow, notes); });
}
