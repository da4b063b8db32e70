#include "core/checkpoint/sampling_claims.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/family/families.hpp"
#include "core/text/choice.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

/// Tensors that say something by being there.
struct MarkRow {
  std::string_view tensor;
  Claim says;
};

/// Keys of metadata, and the values that say something.
struct KeyRow {
  std::string_view key;
  std::string_view value;  ///< in lower case; "*v" is any that ends in v, "*" any at all
  std::optional<Claim> says;
};

// clang-format off
constexpr std::array claim_marks = {
    MarkRow{"v_pred",              Claim::v},
    MarkRow{"ztsnr",               Claim::zero_snr},
    MarkRow{"edm_vpred.sigma_max", Claim::edm},
    MarkRow{"edm_vpred.sigma_min", Claim::edm},
};

constexpr std::array claim_keys = {
    // The first row of a key whose value fits counts.
    KeyRow{"modelspec.prediction_type", "v",            Claim::v},
    KeyRow{"modelspec.prediction_type", "v_prediction", Claim::v},
    KeyRow{"modelspec.prediction_type", "v-prediction", Claim::v},
    KeyRow{"modelspec.prediction_type", "epsilon",      Claim::epsilon},
    KeyRow{"modelspec.prediction_type", "eps",          Claim::epsilon},
    KeyRow{"modelspec.prediction_type", "none",         std::nullopt},
    KeyRow{"modelspec.prediction_type", "*",            Claim::unknown},
    KeyRow{"modelspec.predict_key",     "v",            Claim::v},
    KeyRow{"modelspec.predict_key",     "epsilon",      Claim::epsilon},
    KeyRow{"modelspec.predict_key",     "*",            Claim::unknown},
    KeyRow{"modelspec.architecture",    "*-v",          Claim::v},
    KeyRow{"ss_v_parameterization",     "true",         Claim::v},
    KeyRow{"ss_v_parameterization",     "false",        Claim::epsilon},
    KeyRow{"ss_v_parameterization",     "none",         std::nullopt},
    KeyRow{"ss_v_parameterization",     "*",            Claim::unknown},
    KeyRow{"ss_zero_terminal_snr",      "true",         Claim::zero_snr},
    KeyRow{"ss_zero_terminal_snr",      "false",        Claim::plain_betas},
    KeyRow{"ss_zero_terminal_snr",      "none",         std::nullopt},
    KeyRow{"ss_zero_terminal_snr",      "*",            Claim::unknown_snr},
};
// clang-format on

bool matches(std::string_view pattern, std::string_view value) {
  return pattern.starts_with('*') ? value.ends_with(pattern.substr(1)) : value == pattern;
}

/// The claims that say one thing, by their sources, listed; "" where none does.
std::string said_by(std::span<const SamplingClaim> claims, Claim says) {
  std::vector<std::string> by;
  for (const SamplingClaim& claim : claims) {
    if (claim.says == says) by.push_back(claim.by);
  }
  return joined(by);
}

[[noreturn]] void refuse(const std::string& problem, const std::string& advice) {
  throw Error(ErrorKind::input, problem, advice);
}

/// A question that a wish, claims and a scheduler answer by one of two words.
struct ClaimQuestion {
  std::string field;    ///< its name, marked
  std::string subject;  ///< "predicts"
  std::string yes;      ///< "v"
  std::string no;
  std::string by_yes;  ///< who of the file says so
  std::string by_no;
};

/// The answer: true for yes; none where nothing is said of it.
std::optional<bool> answered(const ClaimQuestion& ask, const std::string& wish, std::optional<bool> scheduled,
                             const SamplingSpeakers& speakers, std::vector<std::string>& notes) {
  const std::string decide = sentence("Say which it is: {} {} or {} {}", ask.field, ask.yes, ask.field, ask.no);
  if (!wish.empty()) {
    const bool yes = wish == ask.yes;
    const std::string& against = yes ? ask.by_no : ask.by_yes;
    if (!against.empty()) {
      notes.push_back(sentence("{} says otherwise ({}), and {} {} counts", speakers.weights, against, ask.field, wish));
    }
    if (scheduled.value_or(yes) != yes) {
      notes.push_back(sentence("{} says otherwise, and {} {} counts", speakers.scheduler, ask.field, wish));
    }
    return yes;
  }
  if (!ask.by_yes.empty() && !ask.by_no.empty()) {
    refuse(sentence("{} contradicts itself: {} says {} {}, and {} {}.", speakers.weights, ask.by_yes, ask.subject,
                    ask.yes, ask.by_no, ask.no),
           decide);
  }
  if (ask.by_yes.empty() && ask.by_no.empty()) return std::nullopt;
  const bool yes = !ask.by_yes.empty();
  const std::string& by = yes ? ask.by_yes : ask.by_no;
  if (scheduled.value_or(yes) != yes) {
    refuse(sentence("{} says {} {} ({}), and {} {}.", speakers.weights, ask.subject, yes ? ask.yes : ask.no, by,
                    speakers.scheduler, yes ? ask.no : ask.yes),
           decide);
  }
  return yes;
}

void refuse_wish_of_flow(const SamplingWish& wish, const SamplingSpeakers& speakers) {
  if (wish.prediction.empty() && wish.zero_snr.empty()) return;
  const char* const key = wish.prediction.empty() ? "zero_snr" : "prediction";
  throw Error(ErrorKind::usage, sentence("{}: {} is a flow. Leave it out", field_name(key), speakers.model));
}

/// What no facts of lapis can hold.
void refuse_foreign(std::span<const SamplingClaim> claims, const SamplingFacts& facts, const SamplingWish& wish,
                    const SamplingSpeakers& speakers) {
  if (const std::string by = said_by(claims, Claim::edm); !by.empty()) {
    refuse(sentence("{} was trained with EDM's scaling, as CosXL was ({}), with which lapis does not draw.",
                    speakers.weights, by),
           "Take a model that predicts noise or v over betas");
  }
  const bool flow = path_of(facts.prediction) == Path::flow;
  for (const Claim claim : {Claim::v, Claim::zero_snr}) {
    const std::string by = said_by(claims, claim);
    if (!flow || by.empty()) continue;
    const char* const said = claim == Claim::v ? "that it predicts v" : "that its betas end in zero SNR";
    refuse(sentence("{} is {}, a flow, and says {} ({}).", speakers.weights, speakers.model, said, by),
           "Take another export of it");
  }
  if (flow) return;
  const auto refuse_unknown = [&](Claim claim, const std::string& wished, const std::string& advice) {
    const std::string by = said_by(claims, claim);
    if (by.empty() || !wished.empty()) return;
    refuse(sentence("{} says {}, which lapis does not know.", speakers.weights, by), advice);
  };
  refuse_unknown(Claim::unknown, wish.prediction,
                 sentence("If it predicts noise or v, say so: {prediction} epsilon or {prediction} v"));
  refuse_unknown(Claim::unknown_snr, wish.zero_snr,
                 sentence("Say whether its SNR ends in zero: {zero_snr} on or {zero_snr} off"));
}

}  // namespace

bool is_sampling_mark(std::string_view tensor) {
  return std::any_of(claim_marks.begin(), claim_marks.end(), [&](const MarkRow& row) { return row.tensor == tensor; });
}

std::vector<SamplingClaim> sampling_claims(const std::map<std::string, std::string>& metadata,
                                           std::span<const std::string> tensors) {
  std::vector<SamplingClaim> claims;
  for (const MarkRow& row : claim_marks) {
    if (std::find(tensors.begin(), tensors.end(), row.tensor) == tensors.end()) continue;
    claims.push_back({row.says, sentence("tensor {}", row.tensor)});
  }
  for (const auto& entry : metadata) {
    const std::string said = lower_ascii(entry.second);
    const auto row = std::find_if(claim_keys.begin(), claim_keys.end(), [&](const KeyRow& each) {
      return each.key == entry.first && matches(each.value, said);
    });
    if (row == claim_keys.end() || !row->says || said.empty()) continue;
    claims.push_back({*row->says, sentence("{} \"{}\"", entry.first, entry.second.substr(0, 40))});
  }
  return claims;
}

void check_words(const SamplingWish& wish) {
  if (!wish.prediction.empty()) expect_word(field_name("prediction"), wish.prediction, wished_predictions());
  if (!wish.zero_snr.empty()) expect_word(field_name("zero_snr"), wish.zero_snr, wished_snrs());
}

std::vector<std::string> wished_predictions() {
  return {std::string(prediction_name(Prediction::epsilon)), std::string(prediction_name(Prediction::v))};
}

std::vector<std::string> wished_snrs() { return {"on", "off"}; }

SamplingFacts claimed_sampling(SamplingFacts facts, std::span<const SamplingClaim> claims, const SamplingWish& wish,
                               const SamplingSpeakers& speakers, std::vector<std::string>& notes) {
  check_words(wish);
  if (path_of(facts.prediction) == Path::flow) refuse_wish_of_flow(wish, speakers);
  refuse_foreign(claims, facts, wish, speakers);
  if (path_of(facts.prediction) == Path::flow) return facts;
  const bool scheduled = !speakers.scheduler.empty();
  const auto of_scheduler = [&](bool value) { return scheduled ? std::optional(value) : std::nullopt; };
  const ClaimQuestion prediction = {
      field_name("prediction"),       "that it predicts", "v", "epsilon", said_by(claims, Claim::v),
      said_by(claims, Claim::epsilon)};
  const ClaimQuestion zero = {field_name("zero_snr"),
                              "of zero terminal SNR",
                              "on",
                              "off",
                              said_by(claims, Claim::zero_snr),
                              said_by(claims, Claim::plain_betas)};
  const auto v =
      answered(prediction, wish.prediction, of_scheduler(facts.prediction == Prediction::v), speakers, notes);
  const auto rescaled = answered(zero, wish.zero_snr, of_scheduler(facts.zero_snr), speakers, notes);
  if (v) facts.prediction = *v ? Prediction::v : Prediction::epsilon;
  if (v == true && wish.prediction.empty() && !scheduled) {
    notes.push_back(sentence("{} predicts v ({})", speakers.weights, prediction.by_yes));
  }
  if (!rescaled) return facts;
  if (*rescaled && facts.prediction == Prediction::epsilon && wish.zero_snr.empty() && wish.prediction.empty() &&
      !scheduled) {
    refuse(sentence("{} was trained with zero terminal SNR ({}), and nothing says that it predicts v, as such models "
                    "do.",
                    speakers.weights, zero.by_yes),
           sentence("Say what it predicts: {prediction} v, or leave the SNR: {zero_snr} off"));
  }
  facts.zero_snr = *rescaled;
  if (!facts.zero_snr || scheduled) return facts;
  facts.spacing = Spacing::trailing;
  notes.push_back(wish.zero_snr.empty()
                      ? sentence("{} has zero terminal SNR ({}): betas are rescaled, and spacing is trailing",
                                 speakers.weights, zero.by_yes)
                      : "zero terminal SNR: betas are rescaled, and spacing is trailing");
  return facts;
}

}  // namespace lapis::core
