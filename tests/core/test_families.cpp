#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "../sample_model.hpp"
#include "core/family/families.hpp"
#include "core/family/spaces.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

bool has_size(const FamilyRow& family, const PortSize& place) {
  const PartRow* part = find_part(family, place.part);
  if (part == nullptr) return false;
  std::vector<std::vector<Port>> all = part->reduced_outputs;
  all.push_back(part->inputs);
  all.push_back(part->outputs);
  for (const std::vector<Port>& ports : all) {
    for (const Port& port : ports) {
      if (port.name == place.port) return place.index < port.shape.size();
    }
  }
  return false;
}

}  // namespace

TEST_CASE("every row is found by its name, and names are not given twice") {
  std::set<std::string> names;
  for (const FamilyRow& row : families()) {
    CHECK(find_family(row.name) == &row);
    CHECK(names.insert(row.name).second);
    for (const PartRow& part : row.parts) CHECK(find_part(row, part.name) == &part);
    CHECK(find_part(row, "bridge") == nullptr);
  }
  CHECK(find_family("sd16") == nullptr);
}

TEST_CASE("every family fits its space") {
  for (const FamilyRow& row : families()) {
    INFO(row.name);
    const SpaceRow* found = find_space(row.space);
    REQUIRE(found != nullptr);
    const Space* space = &found->space;
    CHECK(row.patch == found->packing);
    CHECK(row.size_multiple % space->downscale == 0);
    CHECK_FALSE(row.predictions.empty());
    const PartRow* denoiser = find_part(row, "denoiser");
    REQUIRE(denoiser != nullptr);
    CHECK(row.size_multiple == space->downscale * row.patch);
    const std::int64_t numbers = std::int64_t{space->channels} * row.patch * row.patch;
    for (const auto* ports : {&denoiser->inputs, &denoiser->outputs}) {
      const Port& port = ports->front();
      CHECK(port.shape.at(row.patch == 1 ? 1 : 2) == Dimension(numbers));
    }
    for (const SharedSize& shared : row.shared_sizes) {
      CHECK(has_size(row, shared.sum));
      for (const PortSize& term : shared.terms) CHECK(has_size(row, term));
    }
    for (const Prediction prediction : row.predictions) CHECK_FALSE(prediction_name(prediction).empty());
    CHECK(row.tokenizers.front().name == "tokenizer");
  }
}

TEST_CASE("a picture's tokens are its latent cells, or squares of them") {
  CHECK(picture_tokens(test::sample_model("sdxl"), 1024, 512) == 128 * 64);
  CHECK(picture_tokens(test::sample_model("flux"), 1024, 512) == 64 * 32);
}

TEST_CASE("a dev model has the guidance input, a schnell model has not") {
  CHECK(has_guidance_input(test::sample_model("flux")));
  CHECK_FALSE(has_guidance_input(test::schnell_model()));
  CHECK_FALSE(has_guidance_input(test::sample_model("sdxl")));
}
