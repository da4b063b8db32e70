#include "io/report/suite_json.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "core/text/exit_codes.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/json_text.hpp"
#include "io/file/text.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t largest_suite = std::size_t{16} << 20;

const core::AskedTolerance usual_other_machine = {{"fail_percent", 2}, {"hard_fail", 2}};
const core::AskedTolerance usual_latent_other_machine = {{"fail_percent", 100}, {"hard_fail", 0.02}};

core::AskedTolerance tolerance_in(const JsonValue& object, const std::string& key, core::AskedTolerance usual = {}) {
  if (!object.has(key)) return usual;
  const JsonValue value = object.at(key);
  value.expect_keys({}, core::row_names(core::thresholds()));
  core::AskedTolerance asked;
  for (const core::Threshold& row : core::thresholds()) {
    const std::string name(row.name);
    if (value.has(name)) asked[name] = value.at(name).number(row.limits.lowest, row.limits.highest);
  }
  return asked;
}

/// The words that "refused" takes, as reports have them: "usage", "input file".
std::vector<std::string> refusal_words() {
  std::vector<std::string> words;
  for (const core::ExitCode& row : core::exit_codes()) {
    if (row.kind) words.emplace_back(row.word);
  }
  return words;
}

int expected_exit(const JsonValue& value) {
  constexpr int largest_exit = 255;
  const int exit = value.has("exit") ? static_cast<int>(value.at("exit").integer(0, largest_exit)) : 0;
  if (!value.has("refused")) return exit;
  const std::vector<std::string> words = refusal_words();
  const std::string word = words[value.at("refused").choice(words)];
  const auto row = std::ranges::find(core::exit_codes(), word, &core::ExitCode::word);
  if (value.has("exit") && exit != row->code) {
    value.fail("says exit {} and refused \"{}\", which is exit {}", exit, word, row->code);
  }
  return row->code;
}

bool is_safe(std::string_view name) {
  return name.front() != '.' && name.size() <= 80 && std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
                  c == '-';
         });
}

std::uint64_t bytes_in(const JsonValue& value) {
  const auto bytes = core::parse_bytes(value.text());
  if (!bytes || *bytes == 0) value.fail("is \"{}\"; expected a size, as \"500MB\" or \"2GB\"", value.text());
  return *bytes;
}

/// The line of a case's job, with what the suite says for all of them.
nlohmann::json with_shared(nlohmann::json job, const nlohmann::json& shared) {
  const auto command = job.find("command");
  const bool is_named = command != job.end() && command->is_string();
  const std::string name = is_named ? command->get<std::string>() : JobLine().command;
  for (const auto& [key, value] : shared.items()) {
    if (!job.contains(key) && takes_field(name, key)) job[key] = value;
  }
  return job;
}

/// Throws for what a suite decides itself.
void check_job(const JsonValue& job) {
  std::vector<std::string> decided = {"output", "name", "overwrite", "skip_existing"};
  const bool draws =
      !job.has("command") || job.at("command").text() == "generate" || job.at("command").text() == "refine";
  if (draws) decided.emplace_back("latent");
  for (const std::string& key : decided) {
    if (job.has(key)) job.fail("has the key \"{}\", which a suite decides itself: leave it out", key);
  }
}

SuiteCase case_in(const JsonValue& value, const nlohmann::json& job, const nlohmann::json& shared,
                  const std::string& file) {
  value.expect_keys(
      std::vector<std::string>{"name", "job"},
      std::vector<std::string>{"golden", "tolerance", "other_machine", "exit", "refused", "time", "memory"});
  SuiteCase made;
  made.name = value.at("name").name();
  if (!is_safe(made.name)) {
    value.at("name").fail("is {}; expected letters, digits, \".\", \"_\" and \"-\", 80 at most", in_quotes(made.name));
  }
  made.where = core::sentence("{}, case {}", file, made.name);
  value.at("job").members();
  check_job(value.at("job"));
  made.job = read_job_line(with_shared(job, shared).dump(), made.where);
  made.exit = expected_exit(value);
  made.golden = value.has("golden") ? value.at("golden").truth() : made.exit == 0;
  if (made.golden && made.exit != 0)
    value.at("golden").fail("is for a case that makes something, and this one is refused");
  made.tolerance = tolerance_in(value, "tolerance");
  made.other_machine = tolerance_in(value, "other_machine");
  if (value.has("memory")) made.memory = bytes_in(value.at("memory"));
  if (!value.has("time")) return made;
  const JsonValue time = value.at("time");
  time.expect_keys(std::vector<std::string>{"case", "at_most"});
  made.time = TimeRatio{time.at("case").name(), time.at("at_most").number(1e-6, 1e6)};
  return made;
}

nlohmann::ordered_json first_case(const std::string& name, nlohmann::ordered_json job) {
  return {{"name", name}, {"job", std::move(job)}};
}

}  // namespace

bool leads_out(const fs::path& name) {
  if (name.is_absolute()) return true;
  const fs::path plain = name.lexically_normal();
  return !plain.empty() && *plain.begin() == "..";
}

Suite read_suite(const fs::path& file) {
  const JsonSource source{file.string(), ErrorKind::input, core::marked("docs/smoke.md says what a suite is"),
                          largest_suite};
  const nlohmann::json document = read_json(source);
  const JsonValue whole(document, source);
  whole.expect_keys(std::vector<std::string>{"cases"},
                    std::vector<std::string>{"$schema", "goldens", "job", "tolerance", "latent_tolerance",
                                             "other_machine", "latent_other_machine"});
  Suite suite;
  suite.file = file;
  suite.folder = file.parent_path();
  const std::string goldens = whole.has("goldens") ? whole.at("goldens").name() : "goldens";
  if (leads_out(goldens)) {
    whole.at("goldens").fail("is {}; expected a folder below that of the suite", in_quotes(goldens));
  }
  suite.goldens = suite.folder / goldens;
  suite.tolerance = tolerance_in(whole, "tolerance");
  suite.latent_tolerance = tolerance_in(whole, "latent_tolerance");
  suite.other_machine = tolerance_in(whole, "other_machine", usual_other_machine);
  suite.latent_other_machine = tolerance_in(whole, "latent_other_machine", usual_latent_other_machine);
  if (whole.has("job")) {
    whole.at("job").members();
    check_job(whole.at("job"));
  }
  const nlohmann::json shared = document.value("job", nlohmann::json::object());
  std::set<std::string> names;
  const std::vector<JsonValue> items = whole.at("cases").items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].members();
    const nlohmann::json job = document["cases"][i].value("job", nlohmann::json::object());
    suite.cases.push_back(case_in(items[i], job, shared, source.file));
    const std::string& name = suite.cases.back().name;
    if (!names.insert(name).second) items[i].at("name").fail("is \"{}\", as that of a case before", name);
  }
  if (suite.cases.empty()) whole.at("cases").fail("has no case");
  return suite;
}

std::string first_suite(const std::string& model) {
  Json cases = Json::array();
  cases.push_back(first_case("picture", {{"prompt", "a red house in snow"}}));
  cases.push_back(first_case(
      "variation",
      {{"command", "refine"}, {"source", "{picture}"}, {"prompt", "a red house at night"}, {"strength", 0.5}}));
  cases.push_back(first_case("latent", {{"command", "encode"}, {"images", "{picture}"}}));
  cases.push_back(first_case("decoded", {{"command", "decode"}, {"latent", "{latent}"}}));
  Json refused = first_case("no-steps", {{"prompt", "a red house"}, {"steps", 0}});
  refused["refused"] = "usage";
  cases.push_back(std::move(refused));
  const Json shared = {{"model", model}, {"seed", 7}, {"steps", 4}, {"width", 128}, {"height", 128}, {"threads", 1}};
  return json_text({{"job", shared}, {"cases", std::move(cases)}}, 2) + "\n";
}

}  // namespace lapis::io
