#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "io/model/model_facts.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;
using Json = nlohmann::json;

namespace {

const JsonSource facts_source{"model.json", ErrorKind::model, "See the grammar.", 1000};

const Json constant_flow = {
    {"prediction", "flow"}, {"train_steps", 1000}, {"flow_shift", {{"dynamic", false}, {"shift", 3}}}};
const Json dynamic_flow = {
    {"prediction", "flow"},
    {"train_steps", 1000},
    {"flow_shift",
     {{"dynamic", true}, {"base_shift", 0.5}, {"max_shift", 1.15}, {"base_tokens", 256}, {"max_tokens", 4096}}}};
const Json beta_keys = {{"prediction", "v"}, {"train_steps", 500},    {"beta_curve", "linear"}, {"beta_start", 0.001},
                        {"beta_end", 0.02},  {"spacing", "trailing"}, {"steps_offset", 0}};

lapis::SamplingFacts sampling_of(const Json& json) { return read_sampling(JsonValue(json, facts_source)); }

/// The sampling `valid` with one value set, by its JSON pointer, is refused with all of `parts`.
void check_refused(Json valid, const std::string& pointer, const Json& value, const std::vector<std::string>& parts) {
  INFO(pointer << " = " << value.dump());
  valid[Json::json_pointer(pointer)] = value;
  check_fails(ErrorKind::model, parts, [&] { sampling_of(valid); });
}

lapis::Conditioning conditioning_of(const Json& json) { return read_conditioning(JsonValue(json, facts_source)); }

}  // namespace

TEST_CASE("a flow model has a shift, constant or by the picture's tokens") {
  const lapis::SamplingFacts facts = sampling_of(constant_flow);
  CHECK(facts.prediction == lapis::Prediction::flow);
  CHECK(facts.flow_shift == lapis::FlowShift{false, 3});
  CHECK(sampling_of(dynamic_flow).flow_shift == lapis::FlowShift{true, 1, 0.5, 1.15, 256, 4096});
}

TEST_CASE("other models have betas and a spacing") {
  const lapis::SamplingFacts facts = sampling_of(beta_keys);
  CHECK(facts.prediction == lapis::Prediction::v);
  CHECK(facts.train_steps == 500);
  CHECK(facts.beta_curve == lapis::BetaCurve::linear);
  CHECK(facts.beta_end == 0.02);
  CHECK(facts.spacing == lapis::Spacing::trailing);
  CHECK(facts.steps_offset == 0);
  CHECK_FALSE(facts.zero_snr);
  Json rescaled = beta_keys;
  rescaled["zero_snr"] = true;
  rescaled["beta_curve"] = "cosine";
  CHECK(sampling_of(rescaled).zero_snr);
  CHECK(sampling_of(rescaled).beta_curve == lapis::BetaCurve::cosine);
  check_refused(beta_keys, "/zero_snr", "yes", {"zero_snr"});
  check_refused(beta_keys, "/beta_curve", "squaredcos_cap_v2", {"beta_curve", "cosine"});
  check_refused(constant_flow, "/zero_snr", true, {"zero_snr is an unknown key"});
}

TEST_CASE("keys of one kind of sampling are errors in another") {
  check_refused(constant_flow, "/beta_start", 0.001, {"beta_start is an unknown key"});
  check_refused(constant_flow, "/flow_shift/base_shift", 0.5, {"flow_shift.base_shift is an unknown key"});
  check_refused(dynamic_flow, "/flow_shift/shift", 3, {"flow_shift.shift is an unknown key"});
  check_refused(beta_keys, "/flow_shift", constant_flow["flow_shift"], {"flow_shift is an unknown key"});
  check_refused(beta_keys, "/prediction", "flow", {"beta_curve is an unknown key"});
  check_refused(constant_flow, "/prediction", "v", {"flow_shift is an unknown key"});
}

TEST_CASE("numbers of a shift are checked") {
  check_refused(dynamic_flow, "/flow_shift/dynamic", 1, {"flow_shift.dynamic is 1, expected true or false"});
  check_refused(constant_flow, "/flow_shift/shift", 0, {"flow_shift.shift is 0"});
  check_refused(dynamic_flow, "/flow_shift/base_tokens", 0, {"flow_shift.base_tokens is 0"});
  check_refused(dynamic_flow, "/flow_shift/max_shift", 1000, {"flow_shift.max_shift is 1000"});
}

TEST_CASE("each key of conditioning may be left out") {
  CHECK(conditioning_of(Json::object()).rope_axes.empty());
  CHECK_FALSE(conditioning_of(Json::object()).zero_empty_negative);
  CHECK(conditioning_of({{"zero_empty_negative", true}}).zero_empty_negative);
  CHECK(conditioning_of({{"rope_axes", {16, 56, 56}}}).rope_axes == std::vector<int>{16, 56, 56});
  const auto refused = [](const Json& json, const std::vector<std::string>& parts) {
    check_fails(ErrorKind::model, parts, [&] { conditioning_of(json); });
  };
  refused({{"rope_axes", 16}}, {"rope_axes is 16, expected a list"});
  refused({{"rope_axes", {16, 0}}}, {"rope_axes[1] is 0"});
  refused({{"zero_empty_negative", 1}}, {"zero_empty_negative is 1, expected true or false"});
}
