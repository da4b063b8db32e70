#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/family/spaces.hpp"
#include "core/latent/route_step.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every kind of step has one row, and a name of its own") {
  std::set<StepKind> kinds;
  std::set<std::string_view> names;
  for (const StepRow& row : step_rows()) {
    CHECK(kinds.insert(row.kind).second);
    CHECK(names.insert(row.name).second);
    CHECK(&step_row(row.kind) == &row);
  }
  for (int kind = 0; kind <= static_cast<int>(StepKind::pack); ++kind) {
    CHECK(kinds.contains(static_cast<StepKind>(kind)));
  }
}

TEST_CASE("a step calls the VAEs that it needs, and no other") {
  for (const StepRow& row : step_rows()) {
    INFO(row.name);
    const auto needs = [&](StepNeed need) { return std::ranges::count(row.needs, need) > 0; };
    CHECK(needs(StepNeed::target_encoder) == (row.encodes > 0));
    CHECK((needs(StepNeed::own_decoder) || needs(StepNeed::target_decoder)) == (row.decodes > 0));
  }
}

TEST_CASE("a step's row agrees with itself") {
  for (const StepRow& row : step_rows()) {
    INFO(row.name);
    CHECK((row.verdict == Verdict::rescale || row.verdict == Verdict::repack || row.verdict == Verdict::re_encode));
    if (row.verdict != Verdict::re_encode) CHECK((row.needs.empty() && row.lossless));
    CHECK((row.text == nullptr) == !row.aside.empty());
    if (row.text == nullptr) continue;
    const Space space = parse_space("sd15");
    CHECK_FALSE(row.text({row.kind, space, space, {64, 48}}).empty());
  }
}

TEST_CASE("the words of a step have its numbers") {
  const Space flux = parse_space("flux");
  const Space playground25 = parse_space("playground25");
  const auto text = [](StepKind kind, const Space& from, const Space& to, PixelSize size = {}) {
    return step_row(kind).text({kind, from, to, size});
  };
  CHECK(text(StepKind::to_vae, flux, flux) == "to raw VAE values of flux: v = m / 0.3611 + 0.1159");
  CHECK(text(StepKind::to_model, flux, flux) == "to model units of flux: m = (v - 0.1159) * 0.3611");
  CHECK(text(StepKind::to_vae, playground25, playground25) ==
        "to raw VAE values of playground25:sdxl: v = m * deviation / 0.5 + mean");
  CHECK(text(StepKind::relabel, parse_space("sdxl"), playground25) ==
        "keep the raw VAE values, which are those of playground25:sdxl too");
  CHECK(text(StepKind::decode, flux, flux) == "decode by the VAE of flux");
  CHECK(text(StepKind::decode, flux, flux, {64, 48}) == "decode by the VAE of flux to 64 x 48 pixels");
  CHECK(text(StepKind::resize, flux, flux, {64, 48}) == "resize to 64 x 48 pixels by Lanczos");
}
