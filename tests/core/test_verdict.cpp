#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/verdict.hpp"
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

Destination destination_of(const std::string& name, const std::string& space) {
  Destination destination;
  destination.name = name;
  destination.space = parse_space(space);
  return destination;
}

const Means all_at_hand = {true, true, true};

Ruling rule(const Passport& latent, const Destination& destination, const Means& means = all_at_hand) {
  return judge("a.safetensors", latent, Layout::plain, destination, means);
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
  bool reads_unfinished;
  bool other_path;
  std::string made_by;
  std::string met;
  Means means;
};

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (unsigned bits = 0; bits < 1U << 12; ++bits) {
    const auto bit = [bits](unsigned place) { return (bits >> place & 1U) != 0; };
    variants.push_back({bit(0) ? Units::vae : Units::model, bit(1) ? Units::vae : Units::model,
                        bit(2) ? Layout::packed : Layout::plain, bit(3) ? Layout::packed : Layout::plain,
                        bit(4) ? 0.5 : 0.0, bit(5), bit(6), bit(7) ? "11112222" : "", bit(8) ? "33334444" : "",
                        Means{bit(9), bit(10), bit(11)}});
  }
  return variants;
}

/// What the rules say in words, without regard to how `judge` finds it.
Verdict expected(const Passport& latent, const Destination& to, const Variant& v) {
  const bool values = same_values(latent.space, to.space);
  const bool numbers = same_numbers(latent.space, to.space);
  if (latent.space.lineage == to.space.lineage && !values) return Verdict::refuse;
  if (values && !v.made_by.empty() && !v.met.empty()) return Verdict::refuse;  // they differ wherever both are known
  if (v.sigma > 0 && !(numbers && v.reads_unfinished && !v.other_path)) return Verdict::refuse;
  if (numbers && v.from_units == v.to_units) return v.from_layout == v.to_layout ? Verdict::same : Verdict::repack;
  if (values) return Verdict::rescale;
  const bool possible = v.means.may_convert && v.means.own_decoder && v.means.target_encoder;
  return possible ? Verdict::re_encode : Verdict::refuse;
}

/// Why a ruling does not keep its promises to the reader; empty where it does.
std::string complaint(const Ruling& ruling, const Passport& latent, const Destination& to) {
  const auto says = [&](const std::string& text) { return ruling.reason.find(text) != std::string::npos; };
  const bool refused = ruling.verdict == Verdict::refuse;
  const bool crosses = ruling.verdict == Verdict::re_encode;
  if (!says(space_name(latent.space) + " (" + space_numbers(latent.space) + ")")) return "the latent's side is missing";
  if (!says(space_name(to.space) + " (" + space_numbers(to.space) + ")")) return "the destination's side is missing";
  if (!says("a.safetensors") || !says(to.name)) return "a name is missing";
  if (refused == ruling.advice.empty()) return "advice belongs to a refusal, and to nothing else";
  if (refused && ruling.reason.back() != '.') return "the reason is no whole sentence";
  if ((refused || ruling.verdict == Verdict::same) != ruling.steps.empty()) return "a route without steps";
  if (ruling.decodes != (crosses ? 1 : 0) || ruling.encodes != ruling.decodes) return "the cost is wrong";
  return "";
}

}  // namespace

TEST_CASE("every pair of spaces in every state has the verdict that the rules give it, with both sides named") {
  std::size_t judged = 0;
  std::vector<int> seen(5);
  std::string wrong;
  for (const std::string& from : all_spaces()) {
    for (const std::string& to : all_spaces()) {
      Passport latent = passport_of(from);
      Destination destination = destination_of("target", to);
      for (const Variant& v : all_variants()) {
        latent.units = v.from_units;
        latent.sigma = v.sigma;
        latent.vae_sha256 = v.made_by;
        destination.units = v.to_units;
        destination.layout = v.to_layout;
        destination.reads_unfinished = v.reads_unfinished;
        destination.path = v.other_path ? Path::flow : Path::variance_exploding;
        destination.vae_sha256 = v.met;
        const Ruling ruling = judge("a.safetensors", latent, v.from_layout, destination, v.means);
        std::string found = complaint(ruling, latent, destination);
        if (ruling.verdict != expected(latent, destination, v)) found = "another verdict was expected";
        if (!found.empty() && wrong.empty())
          wrong = found + ": " + std::string(verdict_name(ruling.verdict)) + ", " + ruling.reason;
        ++seen[static_cast<std::size_t>(ruling.verdict)];
        ++judged;
      }
    }
  }
  CHECK(wrong == "");
  CHECK(judged == all_spaces().size() * all_spaces().size() * 4096);
  for (const int count : seen) CHECK(count > 0);
}

TEST_CASE("the count of channels decides nothing") {
  // sd15 and sdxl have as many channels, sd15 and flux have not: the same verdict with the same means.
  for (const char* to : {"sdxl", "flux", "playground25"}) {
    INFO(to);
    CHECK(rule(passport_of("sd15"), destination_of("target", to)).verdict == Verdict::re_encode);
    CHECK(rule(passport_of("sd15"), destination_of("target", to), {true, true, false}).verdict == Verdict::refuse);
  }
  CHECK(rule(passport_of("sd15"), destination_of("target", "sd2")).verdict == Verdict::same);
  CHECK(rule(passport_of("sdxl"), destination_of("target", "playground25")).verdict == Verdict::rescale);
  CHECK(rule(passport_of("sd15"), destination_of("target", "sd15:tiny-sd15")).verdict == Verdict::re_encode);
}

TEST_CASE("a wrong decoder is refused with both sides' numbers and the line to type") {
  const Ruling ruling =
      rule(passport_of("sd15:tiny-sd15"), destination_of("tiny-sdxl", "sdxl:tiny-sdxl"), {true, true, false});
  CHECK(
      ruling.reason ==
      "a.safetensors is in space sd15:tiny-sd15 (4 ch, 1/8, scale 0.18215, lineage tiny-sd15); tiny-sdxl wants "
      "sdxl:tiny-sdxl (4 ch, 1/8, scale 0.13025, lineage tiny-sdxl). Different spaces: the channels are as many, what "
      "they mean is not the same.");
  CHECK(ruling.advice == "Convert it: lapis convert a.safetensors --to tiny-sdxl -o b.safetensors");
}

TEST_CASE("the line to type can be typed") {
  const Destination to = destination_of("my models/x", "sdxl");
  const auto advice = [&](const std::string& file) {
    return judge(file, passport_of("sd15"), Layout::plain, to, {true, true, false}).advice;
  };
  CHECK(advice("it's.safetensors") ==
        "Convert it: lapis convert 'it'\\''s.safetensors' --to 'my models/x' -o b.safetensors");
  CHECK(advice("x/b.safetensors") == "Convert it: lapis convert x/b.safetensors --to 'my models/x' -o c.safetensors");
  CHECK(advice("standard input") == "Convert it: lapis convert - --to 'my models/x' -o b.safetensors");
}

TEST_CASE("what is missing for a crossing is said") {
  const Destination to = destination_of("tiny-flux", "flux:tiny-flux");
  const Ruling no_decoder = rule(passport_of("sd15:mine"), to, {false, true, true});
  CHECK_THAT(no_decoder.reason, Catch::Contains("The VAE decoder of sd15:mine is not at hand"));
  CHECK_THAT(no_decoder.advice,
             Catch::Contains("lapis convert a.safetensors --to tiny-flux --from MODEL -o b.safetensors"));
  Passport recorded = passport_of("sd15:mine");
  recorded.vae_sha256 = std::string(64, 'a');
  CHECK_THAT(rule(recorded, to, {false, true, true}).reason, Catch::Contains("sd15:mine with digest aaaaaaaaaaaa is"));
  const Ruling no_encoder = rule(passport_of("sd15:mine"), to, {true, false, true});
  CHECK_THAT(no_encoder.reason, Catch::Contains("tiny-flux has no VAE encoder"));
}

TEST_CASE("a VAE that is not what it was is refused with both digests") {
  Passport latent = passport_of("sd15:tiny-sd15");
  latent.vae_sha256 = std::string(64, 'a');
  Destination to = destination_of("tiny-sd15", "sd15:tiny-sd15");
  to.vae_sha256 = std::string(64, 'b');
  const Ruling ruling = rule(latent, to);
  CHECK(ruling.verdict == Verdict::refuse);
  CHECK_THAT(ruling.reason, Catch::Contains("aaaaaaaaaaaa") && Catch::Contains("bbbbbbbbbbbb"));
  to.has_vae = [&](const std::string& digest) { return digest == latent.vae_sha256; };
  CHECK(rule(latent, to).verdict == Verdict::same);
  to.has_vae = [](const std::string&) { return false; };
  CHECK(rule(latent, to).verdict == Verdict::refuse);
  to.vae_sha256 = latent.vae_sha256;
  CHECK(rule(latent, to).verdict == Verdict::same);
  to = destination_of("tiny-sdxl", "sdxl:tiny-sdxl");  // another lineage has another digest, as it should
  to.vae_sha256 = std::string(64, 'b');
  CHECK(rule(latent, to).verdict == Verdict::re_encode);
}

TEST_CASE("an unfinished latent goes on where it was left, and nowhere else") {
  Passport latent = passport_of("sd15");
  latent.sigma = 3.25;
  latent.step = 4;
  Destination to = destination_of("sd15 model", "sd15");
  const Ruling decoded = rule(latent, to);
  CHECK(decoded.verdict == Verdict::refuse);
  CHECK_THAT(decoded.reason, Catch::Contains("unfinished, at sigma 3.25 after 4 steps"));
  CHECK(decoded.advice == "Finish it first: lapis generate --init-latent a.safetensors --latent b.safetensors");
  to.reads_unfinished = true;
  CHECK(rule(latent, to).verdict == Verdict::same);
  to.path = Path::flow;
  CHECK_THAT(rule(latent, to).reason, Catch::Contains("a variance-exploding path, sd15 model walks a flow path"));
  to = destination_of("sdxl model", "sdxl");
  to.reads_unfinished = true;
  CHECK_THAT(rule(latent, to).reason, Catch::Contains("noise is never carried into another space"));
  to = destination_of("sd15 model", "sd15");
  to.reads_unfinished = true;
  to.size = PixelSize{256, 256};
  CHECK_THAT(rule(latent, to).reason, Catch::Contains("512 x 512 pixels cannot become 256 x 256"));
}

TEST_CASE("a crossing keeps the picture's size where it fits, and says what to do where it does not") {
  Passport latent = passport_of("sd15:tiny-sd15");
  latent.shape = {1, 4, 64, 65};
  Destination to = destination_of("tiny-flux", "flux:tiny-flux");
  CHECK(rule(latent, to).size == PixelSize{520, 512});
  to.size_multiple = 16;
  const Ruling ruling = rule(latent, to);
  CHECK(ruling.verdict == Verdict::refuse);
  CHECK_THAT(ruling.reason, Catch::Contains("520 x 512 pixels") && Catch::Contains("multiples of 16"));
  CHECK_THAT(ruling.advice,
             Catch::Contains("lapis convert a.safetensors --to tiny-flux --size 528x512 -o b.safetensors"));
  to.size = PixelSize{528, 512};
  const Ruling resized = rule(latent, to);
  CHECK(resized.verdict == Verdict::re_encode);
  CHECK(resized.size == PixelSize{528, 512});
  REQUIRE(resized.steps.size() == 3);
  CHECK(resized.steps[1] == "resize to 528 x 512 pixels by Lanczos");
  to.size = std::nullopt;
  to.space = parse_space("hunyuanimage21");  // cells of 32 pixels
  to.size_multiple = 1;
  CHECK(rule(latent, to).verdict == Verdict::refuse);
}

TEST_CASE("another size takes a decode and an encode within one space too") {
  Destination to = destination_of("tiny-sd15", "sd15:tiny-sd15");
  to.size = PixelSize{256, 512};
  const Ruling ruling = rule(passport_of("sd15:tiny-sd15"), to);
  CHECK(ruling.verdict == Verdict::re_encode);
  CHECK(rule(passport_of("sd15:tiny-sd15"), to, {true, true, false}).verdict == Verdict::refuse);
  to.size = PixelSize{512, 512};
  CHECK(rule(passport_of("sd15:tiny-sd15"), to).verdict == Verdict::same);
}

TEST_CASE("a latent that contradicts itself goes nowhere") {
  Passport latent = passport_of("sd15");
  latent.shape[1] = 16;
  CHECK_THAT(rule(latent, destination_of("sd15", "sd15")).reason, Catch::Contains("16 channels, its space has 4"));
  CHECK(rule(passport_of("sd15:mine"), destination_of("other", "flux:mine")).verdict == Verdict::refuse);
  Destination to = destination_of("a VAE", "sd15");
  to.space.lineage.clear();
  latent = passport_of("sd15");
  CHECK_THAT(rule(latent, to).reason, Catch::Contains("which training a VAE comes from"));
  latent.space.lineage.clear();
  CHECK(rule(latent, to).verdict == Verdict::refuse);
}

TEST_CASE("the arithmetic of a route is written out") {
  Passport latent = passport_of("flux");
  latent.units = Units::vae;
  Destination to = destination_of("flux model", "flux");
  CHECK(rule(latent, to).steps == std::vector<std::string>{"to model units of flux: m = (v - 0.1159) * 0.3611"});
  const Ruling unpacked = judge("a.npy", passport_of("flux"), Layout::packed, to, all_at_hand);
  CHECK(unpacked.verdict == Verdict::repack);
  CHECK(unpacked.steps == std::vector<std::string>{"unpack the tokens to [batch, channels, height, width]"});
  CHECK(rule(passport_of("sdxl"), destination_of("playground", "playground25")).steps ==
        std::vector<std::string>{"to raw VAE values of sdxl: v = m / 0.13025",
                                 "to model units of playground25:sdxl: m = (v - mean) * 0.5 / deviation"});
}

TEST_CASE("only a refusal stops a command") {
  CHECK_NOTHROW(require(rule(passport_of("sd15"), destination_of("target", "sdxl"))));
  const Ruling refused = rule(passport_of("sd15"), destination_of("target", "sdxl"), {});
  try {
    require(refused);
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::incompatible);
    CHECK(error.what() == refused.reason + "\n" + refused.advice);
  }
}
