#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "checkpoints.hpp"
#include "pipeline/import/import_graphs.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;

namespace {

/// What the parts of a model of SD1's family give back, four layers deep and 128 wide.
ProbeResult sound(const std::string& part, const std::vector<ProbeInput>& inputs) {
  const std::vector<std::int64_t>& shape = inputs.front().shape;
  if (part == "text_encoder")
    return {{{{4, shape[0], shape[1], 128}}, {{4, shape[0], shape[1], 128}}, {{shape[0], 128}}}, "", "ids"};
  if (part == "denoiser") return {{{shape}}, "", "x, t, c"};
  return {{{{shape[0], 3, 8 * shape[2], 8 * shape[3]}}}, "", "latent"};
}

}  // namespace

TEST_CASE("files are parts by their names, and each part is probed on one and on two pictures") {
  ModelCatalog catalog;
  const GraphPlan plan = plan_graphs(test::graph_sources(test::needed_parts), "", catalog);
  CHECK(plan.model.family == "sd15");
  CHECK(plan.model.space.lineage == "tiny-sd15");
  CHECK(plan.model.parts.empty());
  test::RecordingEngine engine;
  engine.probe = sound;
  const ProbedGraphs probed = probe_graphs(plan, engine);
  CHECK(engine.calls.size() == 6);
  CHECK(engine.calls.front() == "probe of text_encoder");
  REQUIRE(probed.model.parts.size() == 3);
  CHECK(probed.model.parts.at("denoiser").inputs.back().shape.back() == Dimension(128));
  CHECK(probed.model.parts.at("text_encoder").outputs.front().shape.front() == Dimension(4));
  CHECK(probed.notes.empty());
}

TEST_CASE("a timestep that is one number for all pictures is found out, and noted") {
  ModelCatalog catalog;
  const GraphPlan plan = plan_graphs(test::graph_sources(test::needed_parts), "", catalog);
  test::RecordingEngine engine;
  engine.probe = [](const std::string& part, const std::vector<ProbeInput>& inputs) -> ProbeResult {
    if (part == "denoiser" && !inputs[1].shape.empty()) return {{}, "expected a scalar", "x, t, c"};
    return sound(part, inputs);
  };
  const ProbedGraphs probed = probe_graphs(plan, engine);
  CHECK(probed.model.parts.at("denoiser").inputs[1].shape.empty());
  REQUIRE(probed.notes.size() == 1);
  CHECK(probed.notes.front() == "denoiser.pt takes its timestep as one number for all pictures");
}

TEST_CASE("a part that gives back something else, or for one size alone, is refused with what it does") {
  ModelCatalog catalog;
  const GraphPlan wrong = plan_graphs(test::graph_sources(test::needed_parts), "", catalog);
  test::RecordingEngine engine;
  engine.probe = [](const std::string& part, const std::vector<ProbeInput>& inputs) {
    ProbeResult result = sound(part, inputs);
    if (part == "vae_decoder") result.outputs.front().shape[1] = 4;
    return result;
  };
  check_fails(ErrorKind::incompatible, {"vae_decoder.pt does not fit as vae_decoder: it "},
              [&] { probe_graphs(wrong, engine); });
  const GraphPlan fixed = plan_graphs(test::graph_sources(test::needed_parts), "", catalog);
  engine.probe = [](const std::string& part, const std::vector<ProbeInput>& inputs) -> ProbeResult {
    if (part == "denoiser" && inputs.front().shape[3] != 8) return {{}, "sizes do not match", "x, t, c"};
    return sound(part, inputs);
  };
  check_fails(ErrorKind::incompatible, {"runs for 1 picture of 64 x 64 and not for", "The size was fixed"},
              [&] { probe_graphs(fixed, engine); });
}

TEST_CASE("a family or a model has to be named, one of them, and known") {
  ModelCatalog catalog;
  GraphSources sources = test::graph_sources(test::needed_parts);
  const auto plan = [&] { plan_graphs(sources, "", catalog); };
  sources.like.clear();
  check_fails(ErrorKind::usage, {"Name a family (family sd15)", "(like MODEL)"}, plan);
  sources.family = "sd16";
  check_fails(ErrorKind::usage, {"family is \"sd16\"", "Did you mean \"sd15\"?"}, plan);
  sources.family = "sd15";
  CHECK_NOTHROW(plan());
  sources.like = "tiny-sd15";
  CHECK_THROWS_AS(plan(), Error);
}

TEST_CASE("parts that are unknown, named twice or lacking are refused, and so is what is no graph") {
  ModelCatalog catalog;
  const auto plan = [&](const GraphSources& sources) {
    return [&catalog, sources] { plan_graphs(sources, "", catalog); };
  };
  check_fails(ErrorKind::usage, {"a model of family sd15 needs vae_decoder too.", "torchscript PART=FILE"},
              plan(test::graph_sources({"text_encoder", "denoiser"})));
  check_fails(ErrorKind::usage, {"torchscript names denoiser twice."},
              plan(test::graph_sources({"denoiser", "denoiser"})));
  GraphSources sources = test::graph_sources(test::needed_parts);
  sources.graphs.front() = "text_encodr=" + sources.graphs.front();
  check_fails(ErrorKind::usage, {"there is no part \"text_encodr\"", "Did you mean \"text_encoder\"?"}, plan(sources));
  sources.graphs.front() = "text_encoder=" + test::model_file("tiny-sd15", "model.json");
  check_fails(ErrorKind::input, {"model.json"}, plan(sources));
}
