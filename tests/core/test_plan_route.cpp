#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "../combinations.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/plan_route.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

Passport passport_of(const std::string& space, int side = 512) {
  Passport latent;
  latent.space = parse_space(space);
  const std::int64_t cells = side / latent.space.downscale;
  latent.shape = {1, latent.space.channels, cells, cells};
  return latent;
}

RouteTarget target_of(const std::string& name, const std::string& space) {
  RouteTarget target;
  target.name = name;
  target.space = parse_space(space);
  return target;
}

const Available all_at_hand = {true, true};
const RouteOptions no_convert = {.may_convert = false};

Route plan(const Passport& latent, const RouteTarget& target, const Available& available = all_at_hand,
           const RouteOptions& options = {}) {
  return plan_route({"a.safetensors", latent, Layout::plain}, target, available, options);
}

Verdict verdict_of(const Passport& latent, const RouteTarget& target, const RouteOptions& options = {}) {
  return verdict(plan(latent, target, all_at_hand, options));
}

/// Every space of the table, and one more lineage in two of them.
std::vector<std::string> all_spaces() {
  std::vector<std::string> names;
  for (const SpaceRow& row : spaces()) names.push_back(space_name(row.space));
  names.insert(names.end(), {"sd15:tiny-sd15", "sdxl:tiny-sdxl"});
  return names;
}

/// One of everything that a question may vary in.
struct Variant {
  Units from_units;
  Units to_units;
  Layout from_layout;
  Layout to_layout;
  double sigma;
  bool resumes;
  bool other_path;
  std::string made_by;
  std::string met;
  Available available;
  RouteOptions options;
};

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (unsigned bits = 0; bits < 1U << 12; ++bits) {
    const auto bit = [bits](unsigned place) { return (bits >> place & 1U) != 0; };
    variants.push_back({bit(0) ? Units::vae : Units::model,
                        bit(1) ? Units::vae : Units::model,
                        bit(2) ? Layout::packed : Layout::plain,
                        bit(3) ? Layout::packed : Layout::plain,
                        bit(4) ? 0.5 : 0.0,
                        bit(5),
                        bit(6),
                        bit(7) ? "11112222" : "",
                        bit(8) ? "33334444" : "",
                        {bit(9), bit(10)},
                        {bit(11), bits % 3 > 0, bits % 3 == 2}});
  }
  return variants;
}

/// What the rules say in words, without regard to how `plan_route` finds it.
Verdict expected(const Passport& latent, const RouteTarget& to, const Variant& v) {
  const bool values = same_values(latent.space, to.space);
  const bool numbers = same_numbers(latent.space, to.space);
  if (latent.space.lineage == to.space.lineage && !values) return Verdict::refuse;
  if (values && !v.made_by.empty() && !v.met.empty()) return Verdict::refuse;  // they differ wherever both are known
  if (v.sigma > 0 && !(numbers && v.resumes && !v.other_path)) return Verdict::refuse;
  if (numbers && v.from_units == v.to_units) return v.from_layout == v.to_layout ? Verdict::same : Verdict::repack;
  if (values) return Verdict::rescale;
  const bool possible = v.options.may_convert && v.available.own_decoder && v.available.target_encoder;
  return possible ? Verdict::re_encode : Verdict::refuse;
}

/// What a latent is between two steps.
struct Form {
  Units units;
  Layout layout;
  bool is_picture = false;
};

/// Whether a step can be taken where the latent is; the form is that after it.
bool takes(Form& form, StepKind kind) {
  const Form before = form;
  switch (kind) {
    case StepKind::unpack: form.layout = Layout::plain; return before.layout == Layout::packed && !before.is_picture;
    case StepKind::pack: form.layout = Layout::packed; return before.layout == Layout::plain && !before.is_picture;
    case StepKind::to_vae: form.units = Units::vae; return before.units == Units::model && !before.is_picture;
    case StepKind::to_model: form.units = Units::model; return before.units == Units::vae && !before.is_picture;
    case StepKind::relabel: return before.units == Units::vae && !before.is_picture;
    case StepKind::decode:
      form.is_picture = true;
      return before.units == Units::model && before.layout == Layout::plain && !before.is_picture;
    case StepKind::resize: return before.is_picture;
    case StepKind::encode: form = {Units::model, Layout::plain, false}; return before.is_picture;
    case StepKind::measure:
    case StepKind::compensate: return before.units == Units::model && !before.is_picture;
  }
  return false;
}

/// Whether the steps lead from one form to the other, each from where the one before it ends.
bool leads(const Route& route, Form form, const Form& end) {
  for (const RouteStep& step : route.steps) {
    if (!takes(form, step.kind)) return false;
  }
  return form.units == end.units && form.layout == end.layout && !form.is_picture;
}

/// Calls of VAEs that measuring and compensating take beside the decode and the encode.
RouteCost transcode_cost(const RouteOptions& options) {
  return {1 + (options.measure || options.compensate ? 1 : 0) + (options.compensate ? 1 : 0),
          1 + (options.compensate ? 1 : 0)};
}

/// Why a route does not keep its promises to the reader; empty where it does.
std::string complaint(const Route& route, const Passport& latent, const RouteTarget& to, const Variant& v) {
  const auto says = [&](const std::string& text) { return route.reason.find(text) != std::string::npos; };
  const bool refused = verdict(route) == Verdict::refuse;
  const bool transcodes = verdict(route) == Verdict::re_encode;
  if (!says(space_name(latent.space) + " (" + space_numbers(latent.space) + ")")) return "the latent's side is missing";
  if (!says(space_name(to.space) + " (" + space_numbers(to.space) + ")")) return "the target's side is missing";
  if (!says("a.safetensors") || !says(to.name)) return "a name is missing";
  if (refused == route.advice.empty()) return "advice belongs to a refusal, and to nothing else";
  if (refused && route.reason.back() != '.') return "the reason is no whole sentence";
  if ((refused || verdict(route) == Verdict::same) != route.steps.empty()) return "a route without steps";
  if (step_texts(route).empty() != route.steps.empty()) return "a route without words";
  if (cost(route) != (transcodes ? transcode_cost(v.options) : RouteCost{})) return "the cost is wrong";
  if (!refused && !leads(route, {v.from_units, v.from_layout}, {v.to_units, v.to_layout})) return "it leads elsewhere";
  if (is_lossless(route) != (!refused && !transcodes)) return "what is lost is wrong";
  if (!refused && route.space != to.space) return "it arrives elsewhere";
  return "";
}

}  // namespace

TEST_CASE("every pair of spaces in every state has the verdict that the rules give it, with both sides named") {
  const std::vector<Variant> variants = all_variants();
  std::size_t pairs = 0;
  std::size_t planned = 0;
  std::vector<int> seen(5);
  std::set<StepKind> taken;
  std::string wrong;
  for (const std::string& from : all_spaces()) {
    for (const std::string& to : all_spaces()) {
      Passport latent = passport_of(from);
      RouteTarget target = target_of("target", to);
      for (const Variant& v : test::combinations_in(pairs++, variants)) {
        latent.units = v.from_units;
        latent.sigma = v.sigma;
        latent.vae_sha256 = v.made_by;
        target.units = v.to_units;
        target.layout = v.to_layout;
        target.resumes = v.resumes;
        target.path = v.other_path ? Path::flow : Path::variance_exploding;
        target.vae_sha256 = v.met;
        const Route route = plan_route({"a.safetensors", latent, v.from_layout}, target, v.available, v.options);
        std::string found = complaint(route, latent, target, v);
        if (verdict(route) != expected(latent, target, v)) found = "another verdict was expected";
        if (!found.empty() && wrong.empty())
          wrong = found + ": " + std::string(verdict_name(verdict(route))) + ", " + route.reason;
        ++seen[static_cast<std::size_t>(verdict(route))];
        for (const RouteStep& step : route.steps) taken.insert(step.kind);
        ++planned;
      }
    }
  }
  INFO(wrong);
  CHECK(wrong.empty());
  CHECK(planned == all_spaces().size() * all_spaces().size() * 4096 / test::combination_stride);
  for (const int count : seen) CHECK(count > 0);
  CHECK(taken.size() == step_rows().size() - 1);  // none changes its size
}

TEST_CASE("the count of channels decides nothing") {
  // sd15 and sdxl have as many channels, sd15 and flux have not: the same verdict from the same VAEs.
  for (const char* to : {"sdxl", "flux", "playground25"}) {
    INFO(to);
    CHECK(verdict_of(passport_of("sd15"), target_of("target", to)) == Verdict::re_encode);
    CHECK(verdict_of(passport_of("sd15"), target_of("target", to), no_convert) == Verdict::refuse);
  }
  CHECK(verdict_of(passport_of("sd15"), target_of("target", "sd2")) == Verdict::same);
  CHECK(verdict_of(passport_of("sdxl"), target_of("target", "playground25")) == Verdict::rescale);
  CHECK(verdict_of(passport_of("sd15"), target_of("target", "sd15:tiny-sd15")) == Verdict::re_encode);
}

TEST_CASE("a wrong decoder is refused with both sides' numbers and the line to type") {
  const Route route =
      plan(passport_of("sd15:tiny-sd15"), target_of("tiny-sdxl", "sdxl:tiny-sdxl"), all_at_hand, no_convert);
  CHECK(
      route.reason ==
      "a.safetensors is in space sd15:tiny-sd15 (4 ch, 1/8, scale 0.18215, lineage tiny-sd15); tiny-sdxl wants "
      "sdxl:tiny-sdxl (4 ch, 1/8, scale 0.13025, lineage tiny-sdxl). Different spaces: the channels are as many, what "
      "they mean is not the same.");
  CHECK(plain(route.advice) == "Convert it: convert a.safetensors to tiny-sdxl output b.safetensors");
}

TEST_CASE("the line to type can be typed") {
  const RouteTarget to = target_of("my models/x", "sdxl");
  const auto advice = [&](const std::string& file) {
    return plain(plan_route({file, passport_of("sd15"), Layout::plain}, to, all_at_hand, no_convert).advice);
  };
  CHECK(advice("it's.safetensors") ==
        "Convert it: convert 'it'\\''s.safetensors' to 'my models/x' output b.safetensors");
  CHECK(advice("x/b.safetensors") == "Convert it: convert x/b.safetensors to 'my models/x' output c.safetensors");
  CHECK(advice("standard input") == "Convert it: convert - to 'my models/x' output b.safetensors");
}

TEST_CASE("what is missing for a transcode is said") {
  const RouteTarget to = target_of("tiny-flux", "flux:tiny-flux");
  const Route no_decoder = plan(passport_of("sd15:mine"), to, {false, true});
  CHECK_THAT(no_decoder.reason, Catch::Contains("The VAE decoder of sd15:mine is not at hand"));
  CHECK_THAT(plain(no_decoder.advice),
             Catch::Contains("convert a.safetensors to tiny-flux from MODEL output b.safetensors"));
  Passport recorded = passport_of("sd15:mine");
  recorded.vae_sha256 = std::string(64, 'a');
  CHECK_THAT(plan(recorded, to, {false, true}).reason, Catch::Contains("sd15:mine with digest aaaaaaaaaaaa is"));
  const Route no_encoder = plan(passport_of("sd15:mine"), to, {true, false});
  CHECK_THAT(no_encoder.reason, Catch::Contains("tiny-flux has no VAE encoder"));
}

TEST_CASE("a VAE that is not what it was is refused with both digests") {
  Passport latent = passport_of("sd15:tiny-sd15");
  latent.vae_sha256 = std::string(64, 'a');
  RouteTarget to = target_of("tiny-sd15", "sd15:tiny-sd15");
  to.vae_sha256 = std::string(64, 'b');
  const Route route = plan(latent, to);
  CHECK(verdict(route) == Verdict::refuse);
  CHECK_THAT(route.reason, Catch::Contains("aaaaaaaaaaaa") && Catch::Contains("bbbbbbbbbbbb"));
  to.has_vae = [&](const std::string& digest) { return digest == latent.vae_sha256; };
  CHECK(verdict_of(latent, to) == Verdict::same);
  to.has_vae = [](const std::string&) { return false; };
  CHECK(verdict_of(latent, to) == Verdict::refuse);
  to.vae_sha256 = latent.vae_sha256;
  CHECK(verdict_of(latent, to) == Verdict::same);
  to = target_of("tiny-sdxl", "sdxl:tiny-sdxl");  // another lineage has another digest, as it should
  to.vae_sha256 = std::string(64, 'b');
  CHECK(verdict_of(latent, to) == Verdict::re_encode);
}

TEST_CASE("a partially denoised latent goes on where it was left, and nowhere else") {
  Passport latent = passport_of("sd15");
  latent.sigma = 3.25;
  latent.step = 4;
  RouteTarget to = target_of("sd15 model", "sd15");
  const Route decoded = plan(latent, to);
  CHECK(verdict(decoded) == Verdict::refuse);
  CHECK_THAT(decoded.reason, Catch::Contains("partially denoised, at sigma 3.25 after 4 steps"));
  CHECK(plain(decoded.advice) == "Finish it first: generate init_latent a.safetensors latent b.safetensors");
  to.resumes = true;
  CHECK(verdict_of(latent, to) == Verdict::same);
  to.path = Path::flow;
  CHECK_THAT(plan(latent, to).reason, Catch::Contains("a variance-exploding path, sd15 model samples on a flow path"));
  to = target_of("sdxl model", "sdxl");
  to.resumes = true;
  CHECK_THAT(plan(latent, to).reason, Catch::Contains("noise is never carried into another space"));
  to = target_of("sd15 model", "sd15");
  to.resumes = true;
  to.size = PixelSize{256, 256};
  CHECK_THAT(plan(latent, to).reason, Catch::Contains("512 x 512 pixels cannot become 256 x 256"));
}

TEST_CASE("a transcode keeps the picture's size where it fits, and says what to do where it does not") {
  Passport latent = passport_of("sd15:tiny-sd15");
  latent.shape = {1, 4, 64, 65};
  RouteTarget to = target_of("tiny-flux", "flux:tiny-flux");
  CHECK(plan(latent, to).size == PixelSize{520, 512});
  to.size_multiple = 16;
  const Route route = plan(latent, to);
  CHECK(verdict(route) == Verdict::refuse);
  CHECK_THAT(route.reason, Catch::Contains("520 x 512 pixels") && Catch::Contains("multiples of 16"));
  CHECK_THAT(plain(route.advice),
             Catch::Contains("convert a.safetensors to tiny-flux size 528x512 output b.safetensors"));
  to.size = PixelSize{528, 512};
  const Route resized = plan(latent, to);
  CHECK(verdict(resized) == Verdict::re_encode);
  CHECK(resized.size == PixelSize{528, 512});
  REQUIRE(resized.steps.size() == 3);
  CHECK(step_texts(resized)[1] == "resize to 528 x 512 pixels by Lanczos");
  to.size = std::nullopt;
  to.space = parse_space("hunyuanimage21");  // cells of 32 pixels
  to.size_multiple = 1;
  CHECK(verdict_of(latent, to) == Verdict::refuse);
}

TEST_CASE("another size takes a decode and an encode within one space too") {
  RouteTarget to = target_of("tiny-sd15", "sd15:tiny-sd15");
  to.size = PixelSize{256, 512};
  const Route route = plan(passport_of("sd15:tiny-sd15"), to);
  CHECK(verdict(route) == Verdict::re_encode);
  CHECK(verdict_of(passport_of("sd15:tiny-sd15"), to, no_convert) == Verdict::refuse);
  to.size = PixelSize{512, 512};
  CHECK(verdict_of(passport_of("sd15:tiny-sd15"), to) == Verdict::same);
}

TEST_CASE("a latent that contradicts itself goes nowhere") {
  Passport latent = passport_of("sd15");
  latent.shape[1] = 16;
  CHECK_THAT(plan(latent, target_of("sd15", "sd15")).reason, Catch::Contains("16 channels, its space has 4"));
  CHECK(verdict_of(passport_of("sd15:mine"), target_of("other", "flux:mine")) == Verdict::refuse);
  RouteTarget to = target_of("a VAE", "sd15");
  to.space.lineage.clear();
  latent = passport_of("sd15");
  CHECK_THAT(plan(latent, to).reason, Catch::Contains("which training a VAE comes from"));
  latent.space.lineage.clear();
  CHECK(verdict_of(latent, to) == Verdict::refuse);
}

TEST_CASE("the arithmetic of a route is written out") {
  Passport latent = passport_of("flux");
  latent.units = Units::vae;
  RouteTarget to = target_of("flux model", "flux");
  CHECK(step_texts(plan(latent, to)) == std::vector<std::string>{"to model units of flux: m = (v - 0.1159) * 0.3611"});
  const Route unpacked = plan_route({"a.npy", passport_of("flux"), Layout::packed}, to, all_at_hand);
  CHECK(verdict(unpacked) == Verdict::repack);
  CHECK(step_texts(unpacked) == std::vector<std::string>{"unpack the tokens to [batch, channels, height, width]"});
  CHECK(step_texts(plan(passport_of("sdxl"), target_of("playground", "playground25"))) ==
        std::vector<std::string>{"to raw VAE values of sdxl: v = m / 0.13025",
                                 "to model units of playground25:sdxl: m = (v - mean) * 0.5 / deviation"});
}

TEST_CASE("a route stops where what a step of it needs is not there") {
  Passport latent = passport_of("sd15:tiny-sd15");
  RouteTarget to = target_of("tiny-sdxl", "sdxl:tiny-sdxl");
  to.size = PixelSize{256, 256};
  const RouteOptions compensated = {true, false, true};
  for (const RouteOptions& options : {RouteOptions{}, RouteOptions{true, true, false}, compensated}) {
    std::set<StepNeed> needed;
    for (const RouteStep& step : plan(latent, to, all_at_hand, options).steps) {
      needed.insert(step_row(step.kind).needs.begin(), step_row(step.kind).needs.end());
    }
    CHECK(plan(latent, to, {false, true, true}, options).refused == needed.contains(StepNeed::own_decoder));
    CHECK(plan(latent, to, {true, false, true}, options).refused == needed.contains(StepNeed::target_encoder));
    CHECK(plan(latent, to, {true, true, false}, options).refused == needed.contains(StepNeed::target_decoder));
  }
  CHECK_THAT(plan(latent, to, {true, true, false}, compensated).reason, Catch::Contains("no VAE decoder"));
}

TEST_CASE("units, layouts and the numbers of both VAEs are steps of a transcode, which its words leave out") {
  Passport latent = passport_of("playground25:sdxl");
  latent.units = Units::vae;
  RouteTarget to = target_of("flux model", "flux");
  to.units = Units::vae;
  to.layout = Layout::packed;
  const Route route =
      plan_route({"a.npy", latent, Layout::packed, parse_space("sdxl")}, to, all_at_hand, {true, false, true});
  std::vector<StepKind> kinds;
  for (const RouteStep& step : route.steps) kinds.push_back(step.kind);
  using K = StepKind;
  CHECK(kinds ==
        std::vector<K>{K::unpack, K::to_model, K::decode, K::encode, K::measure, K::compensate, K::to_vae, K::pack});
  CHECK(route.steps[2].from == latent.space);
  CHECK(route.steps[2].to == parse_space("sdxl"));
  CHECK(step_texts(route) == std::vector<std::string>{"decode by the VAE of playground25:sdxl to 512 x 512 pixels",
                                                      "encode by the VAE of flux"});
}

TEST_CASE("a target that says no units keeps those of the latent, and gets the model's from an encoder") {
  Passport latent = passport_of("sd15");
  latent.units = Units::vae;
  RouteTarget to = target_of("target", "sd15");
  to.units = std::nullopt;
  CHECK(verdict_of(latent, to) == Verdict::same);
  to.size = PixelSize{256, 256};
  CHECK(plan(latent, to).steps.back().kind == StepKind::encode);
}

TEST_CASE("an encoder of other numbers is followed by the arithmetic to the target's") {
  RouteTarget to = target_of("playground", "playground25");
  to.encoder_space = parse_space("sdxl");
  const Route route = plan(passport_of("sd15"), to);
  REQUIRE(route.steps.size() == 4);
  CHECK(route.steps[1].from == parse_space("sdxl"));
  CHECK(route.steps[2].kind == StepKind::to_vae);
  CHECK(route.steps[3].kind == StepKind::to_model);
  CHECK(history(route) == std::vector<Transcode>{{"re-encode", "sd15", "sdxl", {512, 512}, {}},
                                                 {"rescale", "sdxl", "playground25:sdxl", {512, 512}, {}}});
}

TEST_CASE("only a refusal stops a command") {
  CHECK_NOTHROW(require(plan(passport_of("sd15"), target_of("target", "sdxl"))));
  const Route refused = plan(passport_of("sd15"), target_of("target", "sdxl"), {});
  try {
    require(refused);
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::incompatible);
    CHECK(error.what() == plain(refused.reason + "\n" + refused.advice));
  }
}
