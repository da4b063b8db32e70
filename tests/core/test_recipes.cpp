#include <catch2/catch.hpp>
#include <string>

#include "core/family/families.hpp"
#include "core/family/recipes.hpp"
#include "core/sampling/schedule_table.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every recipe names a graph for each part that its family needs") {
  for (const Recipe& recipe : recipes()) {
    INFO(recipe.title);
    CHECK(find_recipe(recipe.parts.at("denoiser")) == &recipe);
    if (recipe.family.empty()) continue;
    const FamilyRow* family = find_family(recipe.family);
    REQUIRE(family != nullptr);
    for (const PartRow& part : family->parts) CHECK(recipe.parts.contains(part.name));
    for (const auto& [part, graph] : recipe.parts) CHECK(find_part(*family, part) != nullptr);
    for (const TokenizerRow& tokenizer : family->tokenizers) {
      REQUIRE(recipe.tokenizers.contains(tokenizer.name));
      CHECK(recipe.tokenizers.at(tokenizer.name).kind == tokenizer.kind);
    }
    CHECK(recipe.defaults.width % family->size_multiple == 0);
    CHECK(recipe.conditioning.rope_axes.empty() == (family->architecture != Architecture::flux));
  }
}

TEST_CASE("a graph without a recipe has none") { CHECK(find_recipe("sd3-transformer") == nullptr); }
