#include <catch2/catch.hpp>
#include <string>

#include "core/family/recipes.hpp"
#include "core/family/spaces.hpp"
#include "core/model/part_probe.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

using Shape = std::vector<std::int64_t>;

/// A model of a family before any of its parts was probed.
Model bare(const std::string& family, const std::string& denoiser) {
  Model model;
  const Recipe& recipe = *find_recipe(denoiser);
  model.family = family;
  model.space = find_space(find_family(family)->space)->space;
  model.tokenizers = recipe.tokenizers;
  model.conditioning = recipe.conditioning;
  model.defaults = recipe.defaults;
  return model;
}

const PartRow& row(const Model& model, const std::string& part) { return *find_part(*find_family(model.family), part); }

/// Takes a part as if a probe had given tensors of these shapes.
void take(Model& model, const std::string& part, const std::vector<Shape>& shapes) {
  ProbeResult result;
  for (const Shape& shape : shapes) result.outputs.push_back({shape});
  model.parts[part].outputs = inferred_outputs(row(model, part).outputs, result);
}

std::vector<Shape> shapes_of(const Model& model, const std::string& part, const ProbePictures& pictures,
                             bool optional_too = false) {
  std::vector<Port> ports = row(model, part).inputs;
  const auto& more = row(model, part).optional_inputs;
  if (optional_too) ports.insert(ports.end(), more.begin(), more.end());
  std::vector<Shape> shapes;
  for (const ProbeInput& input : probe_inputs(model, part, ports, pictures)) shapes.push_back(input.shape);
  return shapes;
}

std::string fault_of(const Model& model, const std::string& part, const ProbeResult& result) {
  return probe_fault(model, part, row(model, part).outputs, {}, {}, result).value_or("");
}

}  // namespace

TEST_CASE("the inputs of a probe have the sizes that a job of that kind has") {
  Model model = bare("sd15", "sd15-unet");
  CHECK(shapes_of(model, "text_encoder", {}) == std::vector<Shape>{{1, 77}});
  CHECK(shapes_of(model, "vae_decoder", {2, 128, 64}) == std::vector<Shape>{{2, 4, 8, 16}});
  CHECK(shapes_of(model, "vae_encoder", {2, 128, 64}) == std::vector<Shape>{{2, 3, 64, 128}});
  take(model, "text_encoder", {{13, 1, 77, 768}, {13, 1, 77, 768}, {1, 768}});
  CHECK(shapes_of(model, "denoiser", {2, 128, 64}) == std::vector<Shape>{{2, 4, 8, 16}, {2}, {2, 77, 768}});
}

TEST_CASE("a denoiser's context is as wide as its text encoders together") {
  Model model = bare("sdxl", "sdxl-unet");
  take(model, "text_encoder", {{13, 1, 77, 768}, {13, 1, 77, 768}, {1, 768}});
  take(model, "text_encoder_2", {{33, 1, 77, 1280}, {33, 1, 77, 1280}, {1, 1280}});
  CHECK(shapes_of(model, "denoiser", {}) == std::vector<Shape>{{1, 4, 8, 8}, {1}, {1, 77, 2048}, {1, 1280}, {1, 6}});
  const std::vector<Port> learned = inferred_inputs(model, "denoiser", row(model, "denoiser").inputs);
  CHECK(learned[2].shape[2] == Dimension(std::int64_t{2048}));
  CHECK(learned[0].shape[3] == Dimension("width"));  // of the picture: free
}

TEST_CASE("a flux denoiser reads tokens, and tables over text and picture") {
  Model model = bare("flux", "flux-dev");
  take(model, "text_encoder", {{13, 1, 77, 768}, {13, 1, 77, 768}, {1, 768}});
  take(model, "text_encoder_2", {{1, 512, 4096}});
  CHECK(shapes_of(model, "denoiser", {2, 128, 64}, true) ==
        std::vector<Shape>{{2, 32, 64}, {2}, {2, 512, 4096}, {2, 768}, {544, 128}, {544, 128}, {2}});
}

TEST_CASE("what a part gives back is compared in count, shape and kind") {
  const Model model = bare("sd15", "sd15-unet");
  const ProbeOutput right{{1, 4, 8, 8}};
  CHECK(fault_of(model, "denoiser", {{right}, "", ""}).empty());
  CHECK_THAT(fault_of(model, "denoiser", {{right, right}, "", ""}),
             Catch::Contains("gives back 2 tensors") && Catch::Contains("wanted 1: prediction [1, 4, 8, 8]"));
  CHECK_THAT(fault_of(model, "denoiser", {{}, "", ""}), Catch::Contains("gives back no tensors"));
  CHECK_THAT(fault_of(model, "denoiser", {{{{1, 8, 8, 8}}}, "", ""}),
             Catch::Contains("gives back [1, 8, 8, 8] as prediction; wanted prediction [1, 4, 8, 8]"));
  CHECK_THAT(fault_of(model, "denoiser", {{{{1, 4, 8, 8}, true, false}}, "", ""}), Catch::Contains("NaN or Inf"));
  CHECK_THAT(fault_of(model, "denoiser", {{{{1, 4, 8, 8}, false, true}}, "", ""}), Catch::Contains("whole numbers"));
  CHECK_THAT(fault_of(model, "denoiser", {{}, "size mismatch", ""}), Catch::Contains("size mismatch"));
}

TEST_CASE("sizes that are told as a multiple or a part of another") {
  const Model model = bare("sd15", "sd15-unet");
  CHECK(fault_of(model, "vae_decoder", {{{{1, 3, 64, 64}}}, "", ""}).empty());
  CHECK_FALSE(fault_of(model, "vae_decoder", {{{{1, 3, 8, 8}}}, "", ""}).empty());
  CHECK(fault_of(model, "vae_encoder", {{{{1, 4, 8, 8}}, {{1, 4, 8, 8}}}, "", ""}).empty());
  CHECK_FALSE(fault_of(model, "vae_encoder", {{{{1, 4, 64, 64}}, {{1, 4, 64, 64}}}, "", ""}).empty());
}

TEST_CASE("sizes that are a part's own are learned, and hold from then on") {
  Model model = bare("sd15", "sd15-unet");
  const ProbeResult result{{{{3, 1, 77, 16}}, {{3, 1, 77, 16}}, {{1, 16}}}, "", ""};
  const std::vector<Port> learned = inferred_outputs(row(model, "text_encoder").outputs, result);
  CHECK(learned[1].shape == std::vector<Dimension>{std::int64_t{3}, "batch", "tokens", std::int64_t{16}});
  const ProbeResult other{{{{3, 1, 77, 16}}, {{3, 1, 77, 17}}, {{1, 16}}}, "", ""};
  CHECK_FALSE(probe_fault(model, "text_encoder", learned, {}, {}, result));
  CHECK(probe_fault(model, "text_encoder", learned, {}, {}, other));
}

TEST_CASE("the pictures of a probe in words") {
  CHECK(pictures_text({1, 64, 64}) == "1 picture of 64 x 64");
  CHECK(pictures_text({2, 128, 64}) == "2 pictures of 128 x 64");
}
