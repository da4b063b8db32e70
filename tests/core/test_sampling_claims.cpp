#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/sampling_claims.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

using Metadata = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

struct Asked {
  Metadata metadata;
  Words tensors;
  SamplingWish wish;
  std::string scheduler;
  SamplingFacts facts;
};

struct Answer {
  SamplingFacts facts;
  Words notes;
};

Answer answer(const Asked& asked) {
  Answer found;
  const auto claims = sampling_claims(asked.metadata, asked.tensors);
  found.facts = claimed_sampling(asked.facts, claims, asked.wish,
                                 {"Stable Diffusion XL", "a.safetensors", asked.scheduler}, found.notes);
  return found;
}

SamplingFacts flow() {
  SamplingFacts facts;
  facts.prediction = Prediction::flow;
  return facts;
}

SamplingFacts predicting_v() {
  SamplingFacts facts;
  facts.prediction = Prediction::v;
  return facts;
}

}  // namespace

TEST_CASE("every mark and key that says v is heeded, and told") {
  const std::vector<Asked> cases = {{{}, {"v_pred"}, {}, "", {}},
                                    {{{"modelspec.prediction_type", "v"}}, {}, {}, "", {}},
                                    {{{"modelspec.prediction_type", "V_prediction"}}, {}, {}, "", {}},
                                    {{{"modelspec.predict_key", "v"}}, {}, {}, "", {}},
                                    {{{"modelspec.architecture", "stable-diffusion-v2-768-v"}}, {}, {}, "", {}},
                                    {{{"ss_v_parameterization", "True"}}, {}, {}, "", {}}};
  for (const Asked& asked : cases) {
    const Answer found = answer(asked);
    CHECK(found.facts == predicting_v());
    REQUIRE(found.notes.size() == 1);
    CHECK_THAT(found.notes[0], Catch::Contains("a.safetensors predicts v"));
  }
}

TEST_CASE("what says nothing of sampling changes nothing") {
  const std::vector<Asked> cases = {
      {{{"ss_noise_offset", "0.0357"}, {"ss_min_snr_gamma", "5"}}, {"v_predx"}, {}, "", {}},
      {{{"modelspec.prediction_type", "epsilon"}}, {}, {}, "", {}},
      {{{"modelspec.prediction_type", "None"}}, {}, {}, "", {}},
      {{{"ss_v_parameterization", "None"}, {"ss_zero_terminal_snr", ""}}, {}, {}, "", {}},
      {{{"ss_v_parameterization", "1"}, {"ss_zero_terminal_snr", "yes"}}, {}, {}, "", flow()},
      {{{"modelspec.architecture", "stable-diffusion-xl-v1-base"}}, {}, {}, "", {}},
      {{{"ss_v_parameterization", "False"}, {"ss_zero_terminal_snr", "False"}}, {}, {}, "", {}},
      {{{"modelspec.prediction_type", "epsilon"}}, {}, {}, "", flow()}};
  for (const Asked& asked : cases) {
    const Answer found = answer(asked);
    CHECK(found.facts == asked.facts);
    CHECK(found.notes.empty());
  }
}

TEST_CASE("zero terminal SNR beside v brings trailing spacing, and not without it") {
  for (const Asked& asked :
       {Asked{{}, {"v_pred", "ztsnr"}, {}, "", {}},
        Asked{{{"ss_v_parameterization", "True"}, {"ss_zero_terminal_snr", "True"}}, {}, {}, "", {}},
        Asked{{}, {"ztsnr"}, {"v", ""}, "", {}}, Asked{{}, {"v_pred"}, {"", "on"}, "", {}}}) {
    const SamplingFacts facts = answer(asked).facts;
    CHECK(facts.prediction == Prediction::v);
    CHECK(facts.zero_snr);
    CHECK(facts.spacing == Spacing::trailing);
  }
  CHECK_THROWS_WITH(answer({{}, {"ztsnr"}, {}, "", {}}), Catch::Contains("prediction v"));
  CHECK_FALSE(answer({{}, {"ztsnr"}, {"", "off"}, "", {}}).facts.zero_snr);
  SamplingFacts scheduled = predicting_v();
  scheduled.zero_snr = true;
  CHECK(answer({{}, {"v_pred", "ztsnr"}, {}, "s.json", scheduled}).facts == scheduled);
}

TEST_CASE("contradictions are refused with both sides, unless the user decides") {
  const Metadata epsilon = {{"modelspec.prediction_type", "epsilon"}};
  CHECK_THROWS_WITH(answer({epsilon, {"v_pred"}, {}, "", {}}),
                    Catch::Contains("tensor v_pred") && Catch::Contains("modelspec.prediction_type \"epsilon\"") &&
                        Catch::Contains("prediction v"));
  CHECK(answer({epsilon, {"v_pred"}, {"v", ""}, "", {}}).facts.prediction == Prediction::v);
  CHECK(answer({epsilon, {"v_pred"}, {"epsilon", ""}, "", {}}).facts.prediction == Prediction::epsilon);
  CHECK_THROWS_WITH(answer({{}, {"v_pred"}, {}, "s.json", {}}), Catch::Contains("s.json epsilon"));
  CHECK_THROWS_WITH(answer({epsilon, {}, {}, "s.json", predicting_v()}), Catch::Contains("s.json v"));
  CHECK_THROWS_WITH(answer({{}, {"v_pred", "ztsnr"}, {}, "s.json", predicting_v()}), Catch::Contains("zero_snr"));
  CHECK_THROWS_WITH(answer({{{"ss_zero_terminal_snr", "False"}}, {"v_pred", "ztsnr"}, {}, "", {}}),
                    Catch::Contains("contradicts itself"));
}

TEST_CASE("an option counts before what files say, and who says otherwise is told") {
  const Answer against_file = answer({{}, {"v_pred"}, {"epsilon", ""}, "", {}});
  CHECK(against_file.facts.prediction == Prediction::epsilon);
  REQUIRE(against_file.notes.size() == 1);
  CHECK_THAT(plain(against_file.notes[0]),
             Catch::Contains("tensor v_pred") && Catch::Contains("prediction epsilon counts"));
  const Answer against_scheduler = answer({{}, {}, {"v", ""}, "s.json", {}});
  CHECK(against_scheduler.facts.prediction == Prediction::v);
  REQUIRE(against_scheduler.notes.size() == 1);
  CHECK_THAT(against_scheduler.notes[0], Catch::Contains("s.json says otherwise"));
}

TEST_CASE("what lapis has not, and options that make no sense, are refused") {
  const auto kind = [](const Asked& asked) {
    try {
      (void)answer(asked);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  CHECK(kind({{}, {"edm_vpred.sigma_max"}, {}, "", {}}) == ErrorKind::input);
  CHECK(kind({{}, {"edm_vpred.sigma_min"}, {"v", ""}, "", {}}) == ErrorKind::input);
  CHECK(kind({{{"modelspec.prediction_type", "sample"}}, {}, {}, "", {}}) == ErrorKind::input);
  CHECK(kind({{}, {"v_pred"}, {}, "", flow()}) == ErrorKind::input);
  CHECK(kind({{}, {"ztsnr"}, {}, "", flow()}) == ErrorKind::input);
  CHECK(kind({{}, {}, {"v", ""}, "", flow()}) == ErrorKind::usage);
  CHECK(kind({{}, {}, {"", "on"}, "", flow()}) == ErrorKind::usage);
  CHECK(kind({{}, {}, {"eps", ""}, "", {}}) == ErrorKind::usage);
  CHECK(kind({{}, {}, {"", "yes"}, "", {}}) == ErrorKind::usage);
  CHECK(answer({{{"modelspec.prediction_type", "sample"}}, {}, {"v", ""}, "", {}}).facts == predicting_v());
}

TEST_CASE("a value that nobody knows of a key that is known is refused, unless the user decides") {
  for (const char* value : {"1", "yes", "0", "tru"}) {
    const Metadata v = {{"ss_v_parameterization", value}};
    const Metadata snr = {{"ss_zero_terminal_snr", value}};
    CHECK_THROWS_WITH(
        answer({v, {}, {"", "off"}, "", {}}),
        Catch::Contains("ss_v_parameterization \"" + std::string(value)) && Catch::Contains("prediction v"));
    CHECK_THROWS_WITH(answer({snr, {}, {"v", ""}, "", {}}),
                      Catch::Contains("ss_zero_terminal_snr") && Catch::Contains("zero_snr on"));
    CHECK(answer({v, {}, {"v", ""}, "", {}}).facts == predicting_v());
    CHECK_FALSE(answer({snr, {}, {"", "off"}, "", {}}).facts.zero_snr);
  }
}

TEST_CASE("marks are no weights") {
  CHECK(is_sampling_mark("v_pred"));
  CHECK(is_sampling_mark("edm_vpred.sigma_min"));
  CHECK_FALSE(is_sampling_mark("model.diffusion_model.out.2.bias"));
}
