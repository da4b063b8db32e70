#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../combinations.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/plan_route.hpp"
#include "core/latent/units.hpp"
#include "pipeline/run_route.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using core::Layout;
using core::StepKind;

namespace {

using test::RecordingEngine;

Model model_of(const std::string& name, const Space& space) {
  Model model;
  model.name = name;
  model.space = space;
  return model;
}

/// One way to ask for a route.
struct Case {
  Space from;
  Space to;
  Units from_units;
  std::optional<Units> to_units;
  Layout from_layout;
  Layout to_layout;
  std::optional<PixelSize> size;
  core::RouteOptions options;
  int pictures = 1;
};

std::vector<Space> all_spaces() {
  std::vector<Space> all;
  for (const core::SpaceRow& row : core::spaces()) all.push_back(row.space);
  all.push_back(core::parse_space("sd15:tiny-sd15"));
  return all;
}

/// Units, layouts, sizes and options of one pair of spaces.
std::vector<Case> cases_of(const Space& from, const Space& to) {
  std::vector<Case> cases;
  for (unsigned bits = 0; bits < 32; ++bits) {
    const auto bit = [bits](unsigned place) { return (bits >> place & 1U) != 0; };
    const auto units = [&](unsigned place) { return bit(place) ? Units::vae : Units::model; };
    const auto layout = [&](unsigned place) { return bit(place) ? Layout::packed : Layout::plain; };
    const std::optional<PixelSize> size = bit(4) ? std::optional(PixelSize{64, 32}) : std::nullopt;
    for (const core::RouteOptions& options :
         {core::RouteOptions{}, core::RouteOptions{true, true, false}, core::RouteOptions{true, false, true}}) {
      cases.push_back({from, to, units(0), units(1), layout(2), layout(3), size, options, bit(4) ? 2 : 1});
    }
    cases.push_back({from, to, units(0), std::nullopt, layout(2), layout(3), size, {}, 1});
  }
  return cases;
}

io::LatentDocument document_of(const Case& asked, std::int64_t side = 64) {
  io::LatentDocument document;
  Passport& passport = document.passport;
  passport.space = asked.from;
  passport.units = asked.from_units;
  const std::int64_t cells = side / asked.from.downscale;
  passport.shape = {asked.pictures, asked.from.channels, cells, cells};
  std::int64_t count = 1;
  for (const std::int64_t extent : passport.shape) count *= extent;
  for (std::int64_t i = 0; i < count; ++i) document.values.push_back(static_cast<float>(i % 7) * 0.25F + 1);
  document.extra["x-note"] = "kept";
  return document;
}

core::Route plan(const Case& asked, const io::LatentDocument& document) {
  core::RouteTarget target;
  target.name = "target";
  target.space = asked.to;
  target.units = asked.to_units;
  target.layout = asked.to_layout;
  target.size = asked.size;
  return core::plan_route({"a.safetensors", document.passport, asked.from_layout}, target, {true, true}, asked.options);
}

/// Values as the VAE has them.
std::vector<float> raw_values(const io::LatentDocument& document) {
  std::vector<float> values = document.values;
  if (document.passport.units == Units::model)
    core::to_vae_units(values, document.passport.shape, document.passport.space);
  return values;
}

bool are_close(const std::vector<float>& a, const std::vector<float>& b) {
  return std::ranges::equal(a, b, [](float x, float y) { return std::abs(x - y) < 1e-4F * (1 + std::abs(x)); });
}

/// What a run was, beside what came out of it.
struct Log {
  std::vector<core::RouteStep> steps;
  std::vector<std::string> calls;

  std::int64_t count(const std::string& call) const {
    return std::ranges::count_if(calls, [&](const std::string& each) { return each.starts_with(call); });
  }
};

/// What is wrong with a run; empty where it did what was planned.
std::string complaint(const Case& asked, const core::Route& route, const io::LatentDocument& document,
                      const Transcoded& result, const Log& log) {
  const Passport& passport = result.document.passport;
  const bool transcodes = core::verdict(route) == core::Verdict::re_encode;
  const core::RouteCost cost = core::cost(route);
  const Units units = asked.to_units.value_or(transcodes ? Units::model : asked.from_units);
  if (log.steps != route.steps) return "other steps were run than were planned";
  // The latent's own VAE is given all pictures in one call.
  const std::int64_t decodes = transcodes ? 1 + (cost.decodes - 1) * asked.pictures : 0;
  if (log.count("decode") != decodes) return "other decodes than planned";
  if (log.count("encode") != std::int64_t{cost.encodes} * asked.pictures) return "other encodes than planned";
  if (passport.space != asked.to || passport.units != units) return "it arrived elsewhere";
  if (core::picture_size(passport) != route.size || passport.shape[0] != asked.pictures) return "another size came out";
  if (passport.history != result.added) return "the history is not what was added";
  if (result.added.size() != core::history(route).size()) return "the history is not what was planned";
  if (result.document.extra != document.extra) return "metadata of others were lost";
  if (!transcodes && !are_close(raw_values(document), raw_values(result.document))) return "the values changed";
  if (transcodes == log.calls.empty()) return "the engine was asked in vain, or not at all";
  return "";
}

}  // namespace

TEST_CASE("what was planned is what is run, for every pair of spaces in every state") {
  std::size_t pairs = 0;
  std::size_t run = 0;
  std::string wrong;
  for (const Space& from : all_spaces()) {
    for (const Space& to : all_spaces()) {
      const Model own = model_of("own", from);
      const Model target = model_of("target", to);
      for (const Case& asked : test::combinations_in(pairs++, cases_of(from, to))) {
        const io::LatentDocument document = document_of(asked, 32);
        const core::Route route = plan(asked, document);
        if (route.refused) continue;
        RecordingEngine engine;
        Log log;
        const RouteTools tools{{&own, &target},
                               "on",
                               [&]() -> Engine& { return engine; },
                               [&](const core::RouteStep& step) { log.steps.push_back(step); }};
        const Transcoded result = run_route(route, document, tools);
        log.calls = engine.calls;
        const std::string found = complaint(asked, route, document, result, log);
        if (!found.empty() && wrong.empty()) {
          wrong = found + ": " + core::space_name(from) + " -> " + core::space_name(to);
          for (const core::RouteStep& step : route.steps) wrong += " " + std::string(core::step_row(step.kind).name);
        }
        ++run;
      }
    }
  }
  INFO(wrong);
  CHECK(wrong.empty());
  CHECK(run > 10'000 / test::combination_stride);
}

TEST_CASE("a latent goes by its own VAE, then by the target's") {
  const Space tiny = core::parse_space("sd15:tiny-sd15");
  const Model own = model_of("own", tiny);
  const Model target = model_of("target", core::parse_space("sdxl"));
  const Case asked{tiny,          target.space,  Units::model, Units::model,
                   Layout::plain, Layout::plain, {},           {true, true, true}};
  const io::LatentDocument document = document_of(asked);
  RecordingEngine engine;
  const RouteTools tools{{&own, &target}, "on", [&]() -> Engine& { return engine; }, {}};
  const Transcoded result = run_route(plan(asked, document), document, tools);
  CHECK(engine.calls == std::vector<std::string>{"decode by own", "encode by target", "decode by target",
                                                 "encode by target", "decode by target"});
  CHECK(result.timings.of(PartKind::vae_decoder) == 3);
  CHECK(result.timings.of(PartKind::vae_encoder) == 2);
  CHECK(result.document.passport.dtype == LatentDtype::f32);
  CHECK(result.shown.size() == 1);
}

TEST_CASE("colours are shifted where that comes back nearer, and it is said what it came to") {
  const Space tiny = core::parse_space("sd15:tiny-sd15");
  const Model own = model_of("own", tiny);
  const Model target = model_of("target", core::parse_space("sdxl"));
  Case asked{tiny, target.space, Units::model, Units::model, Layout::plain, Layout::plain, {}, {true, false, true}};
  asked.pictures = 2;
  io::LatentDocument document = document_of(asked);
  std::ranges::fill(document.values, 100.0F);
  RecordingEngine engine;
  const RouteTools tools{{&own, &target}, "on", [&]() -> Engine& { return engine; }, {}};
  const Transcoded result = run_route(plan(asked, document), document, tools);
  CHECK(result.measured.compensated == 2);
  CHECK(std::isinf(*result.measured.psnr));
  CHECK(result.document.values.front() == 100);
  CHECK(result.document.values.back() == 100);
  CHECK(result.added.front().route == "re-encode, compensated");
  CHECK(announcement("a.safetensors", result) ==
        "a.safetensors: sd15:tiny-sd15 -> sdxl, decoded and encoded again at 64 x 64, PSNR equal, colours compensated "
        "(38.6 dB without)");
}

TEST_CASE("pictures that are there already are not decoded again") {
  const Space tiny = core::parse_space("sd15:tiny-sd15");
  const Model target = model_of("target", core::parse_space("flux"));
  const Case asked{tiny, target.space, Units::vae, Units::model, Layout::plain, Layout::plain, PixelSize{128, 64}, {}};
  const io::LatentDocument document = document_of(asked);
  const Image picture{64, 64, std::vector<std::uint8_t>(std::size_t{3} * 64 * 64, 90)};
  RecordingEngine engine;
  std::vector<StepKind> kinds;
  const RouteTools tools{{nullptr, &target},
                         "on",
                         [&]() -> Engine& { return engine; },
                         [&](const core::RouteStep& step) { kinds.push_back(step.kind); }};
  const Transcoded result = run_route(plan(asked, document), document.passport, {picture}, tools);
  CHECK(kinds == std::vector<StepKind>{StepKind::resize, StepKind::encode});
  CHECK(engine.calls == std::vector<std::string>{"encode by target"});
  CHECK(result.pictures.front().width == 128);
  CHECK(result.document.passport.shape == std::array<std::int64_t, 4>{1, 16, 8, 16});
  CHECK(result.added == std::vector<Transcode>{{"re-encode", "sd15:tiny-sd15", "flux", {128, 64}, {}}});
}

TEST_CASE("exact arithmetic needs no engine, and a change of numbers is announced") {
  const Case asked{core::parse_space("sdxl"),
                   core::parse_space("playground25"),
                   Units::model,
                   std::nullopt,
                   Layout::plain,
                   Layout::plain,
                   {},
                   {}};
  const io::LatentDocument document = document_of(asked);
  const Transcoded result = run_route(plan(asked, document), document, {});
  CHECK(announcement("a.safetensors", result) ==
        "a.safetensors: sdxl -> playground25:sdxl, the same VAE's values by other numbers");
  const Case stays{asked.from, asked.from, Units::model, Units::vae, Layout::plain, Layout::plain, {}, {}};
  CHECK(announcement("a.safetensors", run_route(plan(stays, document), document, {})).empty());
}
