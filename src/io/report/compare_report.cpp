#include "io/report/compare_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/picture/similarity.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_text.hpp"
#include "io/report/json_parts.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

double percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json file_json(const ComparedFile& file) {
  if (file.path.empty()) return {};
  return {{"path", file.path},
          {"format", text_or_null(file.format)},
          {"size", file.size},
          {"bits", file.size.size() == 2 ? Json(file.bits) : Json()},
          {"pixels_sha256", text_or_null(file.pixels_sha256)}};
}

Json worst_json(const core::Difference& difference) {
  const core::ValuePair& worst = difference.worst;
  Json json = {{"channel", worst.channel}, {"x", worst.x}, {"y", worst.y}, {"a", worst.a}, {"b", worst.b}};
  if (!difference.picture) json["picture"] = worst.picture;
  return json;
}

Json measures_json(const core::Difference& difference) {
  Json json = {{"values", difference.values},
               {"different", difference.different},
               {"above_fail", difference.above_fail},
               {"above_fail_percent", percent_of(difference.above_fail, difference.values)},
               {"above_warn", difference.above_warn},
               {"largest", difference.largest},
               {"mean", difference.mean},
               {"worst", difference.identical() ? Json() : worst_json(difference)}};
  if (!difference.picture) {
    json["relative"] = difference.relative;
    return json;
  }
  const core::PictureMeasures& picture = *difference.picture;
  json["pixels"] = picture.pixels;
  json["pixels_above_fail"] = picture.pixels_above;
  json["pixels_above_fail_percent"] = percent_of(picture.pixels_above, picture.pixels);
  json["psnr"] = psnr_json(picture.psnr);
  json["ssim"] = or_null(picture.ssim);
  json["flip"] = picture.flip;
  json["flip_worst"] = picture.flip > 0 ? Json{{"x", picture.flip_x}, {"y", picture.flip_y}} : Json();
  return json;
}

Json tolerance_json(const core::Tolerance& tolerance) {
  Json json;
  for (const core::Threshold& row : core::thresholds()) {
    std::visit([&](const auto member) { json[row.name] = or_null(std::optional<double>(tolerance.*member)); },
               row.member);
  }
  return json;
}

Json breach_json(const core::Breach& breach) { return {{"threshold", breach.threshold}, {"text", breach.text}}; }

Json changes_json(const std::vector<SettingChange>& changes) {
  Json list = Json::array();
  for (const SettingChange& change : changes) {
    list.push_back({{"key", change.key}, {"a", text_or_null(change.a)}, {"b", text_or_null(change.b)}});
  }
  return list;
}

Json changed_json(const ChangedSettings& changed) {
  return {{"job", changes_json(changed.job)},
          {"models", changes_json(changed.models)},
          {"program", changes_json(changed.program)},
          {"text", changed_text(changed)}};
}

Json pair_json(const ComparedPair& pair) {
  Json breaches = Json::array();
  for (const core::Breach& breach : pair.judgement.breaches) breaches.push_back(breach_json(breach));
  const bool identical = pair.difference && pair.difference->identical();
  return {{"name", pair.name},
          {"equal", pair.equal()},
          {"identical", identical && pair.is_cut() ? Json() : Json(identical)},
          {"a", file_json(pair.a)},
          {"b", file_json(pair.b)},
          {"difference", pair.difference ? measures_json(*pair.difference) : Json()},
          {"tolerance", tolerance_json(pair.tolerance)},
          {"breaches", breaches},
          {"warning", pair.judgement.warning ? breach_json(*pair.judgement.warning) : Json()},
          {"settings", pair.changed ? changed_json(*pair.changed) : Json()},
          {"notes", pair.notes},
          {"error", pair.error ? Json(pair.error->what()) : Json()},
          {"seconds", std::round(pair.seconds * 1e6) / 1e6}};
}

std::string ssim_text(const core::PictureMeasures& picture) {
  if (picture.ssim) return core::sentence("{:.4f}", *picture.ssim);
  return core::sentence("not measured: a side is below {} pixels", core::ssim_window);
}

JUnitCase case_of(const ComparedPair& pair) {
  JUnitCase test;
  test.name = pair.name;
  test.seconds = pair.seconds;
  if (pair.error) {
    test.outcome = JUnitOutcome::error;
    test.message = pair.error->problem();
    test.kind = "error";
    test.details = pair.error->what();
  } else if (!pair.equal()) {
    test.outcome = JUnitOutcome::failed;
    test.message = breach_text(pair);
    test.kind = pair.judgement.breaches.front().threshold;
    for (const auto& row : measure_rows(pair)) test.details += row[0] + ": " + row[1] + "\n";
  }
  std::vector<std::string> said = pair.notes;
  if (pair.judgement.warning) said.push_back("warning: " + pair.judgement.warning->text);
  test.output = core::joined(said, "\n");
  return test;
}

}  // namespace

PairCounts counts_of(std::span<const ComparedPair> pairs) {
  PairCounts counts;
  for (const ComparedPair& pair : pairs)
    ++(pair.error ? counts.errors : pair.equal() ? counts.equal : counts.different);
  return counts;
}

std::string compare_report(const std::string& a, const std::string& b, std::span<const ComparedPair> pairs) {
  Json list = Json::array();
  for (const ComparedPair& pair : pairs) list.push_back(pair_json(pair));
  const PairCounts counts = counts_of(pairs);
  const Json json = {{"version", version},
                     {"a", a},
                     {"b", b},
                     {"equal", counts.different + counts.errors == 0},
                     {"counts", {{"equal", counts.equal}, {"different", counts.different}, {"errors", counts.errors}}},
                     {"pairs", list}};
  return json_text(json);
}

JUnitSuite compare_suite(std::span<const ComparedPair> pairs) {
  JUnitSuite suite{"lapis.compare", {}};
  for (const ComparedPair& pair : pairs) suite.cases.push_back(case_of(pair));
  return suite;
}

std::vector<std::vector<std::string>> measure_rows(const ComparedPair& pair) {
  std::vector<std::vector<std::string>> rows;
  if (pair.difference && !pair.difference->identical()) {
    const core::Difference& difference = *pair.difference;
    rows = {{"largest difference", core::sentence("{} at {}", core::amount_text(difference, difference.largest),
                                                  core::place_text(difference))},
            {"mean difference", core::amount_text(difference, difference.mean)},
            {"different values", core::share_text(difference.different, difference.values)}};
    if (difference.picture) {
      const core::PictureMeasures& picture = *difference.picture;
      rows.push_back({core::sentence("pixels above {}", core::number_text(pair.tolerance.fail)),
                      core::share_text(picture.pixels_above, picture.pixels)});
      rows.push_back({"PSNR", core::psnr_text(picture.psnr)});
      rows.push_back({"SSIM", ssim_text(picture)});
      rows.push_back(
          {"FLIP", core::sentence("{:.4f}, most at x {}, y {}", picture.flip, picture.flip_x, picture.flip_y)});
    } else {
      rows.push_back({"relative difference", core::sentence("{:.4g}", difference.relative)});
    }
  }
  if (pair.changed) rows.push_back({"settings", changed_text(*pair.changed)});
  return rows;
}

std::string breach_text(const ComparedPair& pair) {
  std::vector<std::string> texts;
  for (const core::Breach& breach : pair.judgement.breaches) texts.push_back(breach.text);
  if (pair.difference) texts.push_back(core::sentence("worst at {}", core::place_text(*pair.difference)));
  return core::joined(texts, "; ");
}

}  // namespace lapis::io
