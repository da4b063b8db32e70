#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/report/json_parts.hpp"

using namespace lapis;
using namespace lapis::io;

namespace {

std::vector<std::string> keys_of(const nlohmann::ordered_json& json) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

/// Every number another, none with more than six digits behind the point.
RunTimings some_seconds() {
  RunTimings run;
  run.read = 1;
  run.tokens = 2;
  run.engine = 3;
  run.parts.load = 4;
  run.parts.of(PartKind::text_encoder) = 5;
  run.parts.of(PartKind::text_encoder_2) = 0.5;
  run.parts.of(PartKind::vae_encoder) = 6;
  run.parts.of(PartKind::denoiser) = 7.12345678;
  run.parts.sampler = 8;
  run.parts.of(PartKind::vae_decoder) = 9;
  run.parts.pixels = 10;
  run.png = 11;
  run.total = 12;
  return run;
}

}  // namespace

TEST_CASE("a job's line tells every stage in its order, both text encoders as one, to the microsecond") {
  const nlohmann::ordered_json json = timings_json(some_seconds(), TimingsOf::job);
  CHECK(keys_of(json) == std::vector<std::string>{"read", "tokens", "engine", "load", "text_encoder", "vae_encoder",
                                                  "denoiser", "sampler", "vae_decoder", "pixels", "png", "total"});
  CHECK(json.dump() == R"({"read":1.0,"tokens":2.0,"engine":3.0,"load":4.0,"text_encoder":5.5,"vae_encoder":6.0,)"
                       R"("denoiser":7.123457,"sampler":8.0,"vae_decoder":9.0,"pixels":10.0,"png":11.0,"total":12.0})");
}

TEST_CASE("a line of latents tells of the VAE alone") {
  const nlohmann::ordered_json json = timings_json(some_seconds(), TimingsOf::latents);
  CHECK(json.dump() == R"({"read":1.0,"engine":3.0,"load":4.0,"vae_encoder":6.0,"vae_decoder":9.0,"pixels":10.0,)"
                       R"("write":11.0,"total":12.0})");
}
