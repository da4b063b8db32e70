#include <catch2/catch.hpp>
#include <string>

#include "engine/probe.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

Part bare(const char* graph) {
  Part part = echo_part();
  part.graph = data(graph);
  part.outputs.clear();
  return part;
}

ProbeResult probed_on(const char* graph, std::vector<std::int64_t> sample, std::vector<std::int64_t> time = {1},
                      const std::string& dtype = "f32") {
  LoadedPart part(bare(graph), "denoiser", {});
  const std::int64_t batch = sample.front();
  return probe(part, {{"model", std::move(sample), {}}, {dtype, std::move(time), 500}, {"model", {batch, 77, 8}, {}}});
}

}  // namespace

TEST_CASE("a probe tells shapes, and whether numbers are finite") {
  const ProbeResult result = probed_on("echo.pt", {1, 4, 8, 8});
  CHECK(result.fault.empty());
  CHECK(result.input_names == "sample, timestep, context");
  REQUIRE(result.outputs.size() == 1);
  CHECK(result.outputs[0].shape == std::vector<std::int64_t>{1, 4, 8, 8});
  CHECK(result.outputs[0].floating);
  CHECK(result.outputs[0].finite);
  CHECK_FALSE(probed_on("trial_nan.pt", {1, 4, 8, 8}).outputs.at(0).finite);
  CHECK(probed_on("trial_dict.pt", {1, 4, 8, 8}).outputs.empty());
}

TEST_CASE("what a graph throws is the fault of the probe, in one line") {
  for (const ProbeResult& result :
       {probed_on("trial_size.pt", {1, 4, 8, 8}), probed_on("trial_channels.pt", {1, 4, 8, 8})}) {
    CHECK_FALSE(result.fault.empty());
    CHECK(result.fault.find('\n') == std::string::npos);
    CHECK(result.outputs.empty());
  }
  CHECK_THAT(probed_on("trial_channels.pt", {1, 4, 8, 8}).fault, Catch::Contains("9"));
  CHECK(probed_on("trial_size.pt", {1, 4, 64, 64}).fault.empty());
}

TEST_CASE("inputs have the dtype and the numbers that they are said to have") {
  CHECK_FALSE(probed_on("trial_whole.pt", {1, 4, 8, 8}).fault.empty());
  CHECK(probed_on("trial_whole.pt", {1, 4, 8, 8}, {1}, "i64").fault.empty());
  CHECK(probed_on("trial_scalar.pt", {2, 4, 8, 8}, {}).fault.empty());
  CHECK_FALSE(probed_on("trial_scalar.pt", {2, 4, 8, 8}, {2}).fault.empty());
  LoadedPart text({data("plain_text_encoder.pt"), {}, {{"ids", "i64", {"batch", "tokens"}}}, {}}, "text_encoder", {});
  CHECK(probe(text, {{"i64", {2, 77}, {}}}).outputs.size() == 3);
}

TEST_CASE("a part says which of its inputs is one number for the whole batch") {
  Part part = bare("echo.pt");
  CHECK_FALSE(LoadedPart(part, "denoiser", {}).takes_scalar(1));
  part.inputs[1].shape.clear();
  CHECK(LoadedPart(part, "denoiser", {}).takes_scalar(1));
}
