#include "jobs/smoke.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/shard_option.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "core/text/exit_codes.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/shortage.hpp"
#include "io/report/junit.hpp"
#include "io/report/report.hpp"
#include "io/report/smoke_report.hpp"
#include "io/report/suite_json.hpp"
#include "jobs/suite.hpp"
#include "lapis/error.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/outputs.hpp"

namespace fs = std::filesystem;

namespace lapis::cli {
namespace {

constexpr const char* smoke_footer =
    "Examples:\n"
    "  lapis smoke suite.json\n"
    "  lapis smoke suite.json --update house\n"
    "  lapis smoke suite.json --html report.html --junit report.xml\n"
    "  lapis smoke suite.json --filter house --list\n"
    "  lapis smoke --init smoke -m tiny-sd15\n"
    "\n"
    "SUITE has named jobs in JSON, and what each must come to: pictures and latents that were approved, exit\n"
    "codes, time, memory. Exit code 0 where every case passes, 1 where one fails, and another one\n"
    "(lapis --help) where the suite could not be done. docs/smoke.md has the whole of it.";

struct SmokeOptions {
  std::string suite;
  std::vector<std::string> words;
  std::vector<std::string> updated;
  bool update = false;
  bool list = false;
  std::string shard;
  std::optional<jobs::Shard> part;  ///< that `shard` says
  std::string kept = "lapis-smoke";
  std::string html;
  std::string junit;
  std::string markdown;
  std::string init;
  std::string model;
  bool json = false;
};

std::string line_of(const SmokeOptions& options, const std::string& flag, const std::string& name) {
  return core::sentence("lapis smoke {} {} {}", core::shell_word(options.suite), flag, core::shell_word(name));
}

jobs::SmokeAsked asked_of(const SmokeOptions& options) {
  jobs::SmokeAsked asked;
  asked.suite = options.suite;
  asked.words = options.words;
  asked.shard = options.part;
  asked.update = options.update;
  asked.updated = options.updated;
  asked.kept = options.kept;
  asked.memory = io::free_memory().value_or(0) / 2;
  asked.again = [&options](const std::string& name) { return line_of(options, "--filter", name); };
  asked.approve = [&options](const std::string& name) { return line_of(options, "--update", name); };
  return asked;
}

bool is_change(io::GoldenState state) {
  return state == io::GoldenState::added || state == io::GoldenState::also || state == io::GoldenState::replaced;
}

void print_case(const io::SmokeCase& test) {
  print_line(core::sentence("{} {} ({:.2f} s)", test.passed() ? "pass" : "FAIL", test.name, test.seconds));
  for (const std::string& fault : test.faults) print_line(core::sentence("     {}", fault));
  for (const io::SmokeGolden& golden : test.goldens) {
    if (!is_change(golden.state)) continue;
    const bool differed = golden.pair && !golden.pair->judgement.breaches.empty();
    print_line(core::sentence("     {} is {}{}", golden.expected, io::state_text(golden.state),
                              differed ? ": " + io::changed_golden_text(*golden.pair) : std::string()));
  }
  for (const std::string& note : test.notes) print_line(core::sentence("     note: {}", note));
  if (test.passed()) return;
  for (const io::SmokeGolden& golden : test.goldens) {
    if (!golden.kept_difference.empty()) print_line(core::sentence("     difference: {}", golden.kept_difference));
  }
  if (!test.approve.empty()) print_line(core::sentence("     approve: {}", test.approve));
}

/// A file is told of where its name is not the one that was given.
void write_text(const SmokeOptions& options, const std::string& path, const std::string& text) {
  if (path.empty()) return;
  io::write_file(path, std::as_bytes(std::span(text)), /*overwrite=*/true);
  if (options.part) print_note(core::sentence("{} is written", path));
}

/// Tells a CI server what it asks for in its environment.
void tell_server(const SmokeOptions& options, const io::SmokeReport& report) {
  if (const char* summary = std::getenv("GITHUB_STEP_SUMMARY"); summary != nullptr && *summary != '\0') {
    std::ofstream(summary, std::ios::app) << io::smoke_markdown(report) << "\n";
  }
  if (std::getenv("GITHUB_ACTIONS") == nullptr) return;
  for (const std::string& line : io::smoke_annotations(report)) {
    if (options.json) {
      print_progress(line);
    } else {
      print_line(line);
    }
  }
}

int list(const SmokeOptions& options) {
  const io::Suite suite = io::read_suite(options.suite);
  jobs::check_suite(suite);
  const jobs::SmokeAsked asked = asked_of(options);
  std::vector<std::vector<std::string>> rows = {{"case", "command", "needs"}};
  for (const io::SuiteCase* test : jobs::selected(suite, asked.words, asked.shard)) {
    rows.push_back({test->name, test->job.command, core::joined(jobs::needs(*test))});
  }
  if (options.json) {
    print_json(io::table_report(rows));
  } else {
    print_table(rows);
  }
  return 0;
}

/// Writes a suite for a model that is found by its name, on other machines too.
int init(const SmokeOptions& options) {
  pipeline::ModelCatalog catalog;
  const Model& model = options.model.empty() ? *catalog.all().at(0) : catalog.open(options.model);
  const auto known = catalog.find([&](const Model& each) { return each.name == model.name; });
  if (known == nullptr) {
    throw Error(ErrorKind::usage,
                core::sentence("{} is not found by its name, and a suite is for every machine.", model.folder.string()),
                "Let LAPIS_MODELS name the folder that it lies in");
  }
  std::error_code ignored;  // what cannot be made is told by whoever writes there
  fs::create_directories(options.init, ignored);
  const fs::path file = fs::path(options.init) / "suite.json";
  if (fs::exists(fs::symlink_status(file, ignored))) {
    throw Error(ErrorKind::output, core::sentence("{} is there already. Name another folder", file.string()));
  }
  const std::string text = io::first_suite(model.name);
  io::write_file(file, std::as_bytes(std::span(text)), /*overwrite=*/false);
  print_line(file.string());
  print_note(core::sentence("Look at what it makes, and approve it: lapis smoke {} --update",
                            core::shell_word(file.string())));
  return 0;
}

void check(const SmokeOptions& options) {
  if (!options.init.empty() && !options.suite.empty()) {
    throw Error(ErrorKind::usage, "--init writes a suite, and does none. Leave the other out");
  }
  if (options.init.empty() && !options.model.empty()) {
    throw Error(ErrorKind::usage, "-m is for --init: the models of a suite stand in it");
  }
  if (options.init.empty() && options.suite.empty()) {
    throw Error(ErrorKind::usage, "there is no suite. Name its file before the options: lapis smoke suite.json");
  }
  if (options.update && !options.shard.empty()) {
    throw Error(ErrorKind::usage, "--update writes one record of all goldens. Do it without --shard");
  }
}

/// Refuses reports that would take the place of the suite, of its goldens or of each other, and tries them.
void check_reports(const SmokeOptions& options) {
  const fs::path goldens = io::read_suite(options.suite).goldens;
  if (pipeline::is_same_file(options.kept, goldens.string())) {
    throw Error(ErrorKind::usage, core::sentence("-o {}: those are the goldens. Name another folder", options.kept));
  }
  std::vector<std::string> taken = {options.suite};
  for (const auto& [flag, path] : {std::pair<const char*, const std::string&>{"--html", options.html},
                                   {"--junit", options.junit},
                                   {"--markdown", options.markdown}}) {
    if (path.empty()) continue;
    if (path == "-") {
      throw Error(ErrorKind::usage, core::sentence("{} -: standard output has the text. Name a file", flag));
    }
    const bool is_golden = pipeline::real_path(path).parent_path() == pipeline::real_path(goldens.string());
    const auto other = std::ranges::find_if(
        taken, [&file = path](const std::string& each) { return pipeline::is_same_file(each, file); });
    if (is_golden || other != taken.end()) {
      throw Error(ErrorKind::usage, core::sentence("{} {}: that is {}. Name another file", flag, path,
                                                   is_golden ? "among the goldens" : *other));
    }
    io::check_writable(path, /*overwrite=*/true);
    taken.push_back(path);
  }
}

int smoke(SmokeOptions& options) {
  check(options);
  if (!options.init.empty()) return init(options);
  options.part = shard_of(options.shard);
  for (std::string* path : {&options.html, &options.junit, &options.markdown}) {
    *path = jobs::name_in_shard(*path, options.part);
  }
  if (options.list) return list(options);
  check_reports(options);
  Progress progress("case");
  jobs::SmokeEvents events;
  events.stop = is_asked_to_end;
  events.ended = [&](const io::SmokeCase& test) {
    progress.clear();
    if (!options.json) print_case(test);
  };
  events.progress = [&](std::size_t ended, std::size_t all) {
    progress.update(static_cast<int>(ended), static_cast<int>(all));
  };
  end_after_step(true);
  const io::SmokeReport report = jobs::run_smoke(asked_of(options), events);
  progress.clear();
  for (const std::string& note : report.notes) print_note(note);
  if (is_asked_to_end()) {
    print_warning(core::sentence("{} ended it: {}", asked_signal_name(), io::counts_text(report)));
    end_by_asked_signal();
  }
  end_after_step(false);
  for (const std::string& fault : report.faults) {
    if (!options.json) print_line(core::sentence("FAIL {}", fault));
  }
  if (options.json) {
    print_json(io::smoke_json(report));
  } else {
    print_line(io::counts_text(report));
  }
  if (!options.html.empty()) write_text(options, options.html, io::smoke_page(report));
  write_text(options, options.junit, io::junit_xml({io::smoke_junit(report)}));
  write_text(options, options.markdown, io::smoke_markdown(report));
  tell_server(options, report);
  return report.passed() ? 0 : core::differ_code;
}

}  // namespace

Run declare_smoke(CLI::App& app) {
  const auto options = std::make_shared<SmokeOptions>();
  const OptionGroup group(app);
  group.value("suite", options->suite, "SUITE", "File with named jobs and what they must come to, in JSON");
  const OptionGroup cases(app, "Cases");
  cases
      .value("--filter", options->words, "TEXT",
             "Only cases with this in their names, and those that they need; repeat")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  declare_shard(cases, options->shard);
  cases.flag("--list", options->list, "Show the cases; do none");
  CLI::Option* update = cases.value("--update", options->updated, "NAME",
                                    "Approve what these cases make; without a name what all do. After SUITE");
  update->expected(0, CLI::detail::expected_max_vector_size);
  const OptionGroup output(app, "Output");
  output.value("-o,--output", options->kept, "FOLDER",
               "Keeps of failures what was made, what was approved and the difference (lapis-smoke)");
  output.value("--html", options->html, "FILE",
               "Page with pictures of the failures; of a shard its number is in the name");
  output.value("--junit", options->junit, "FILE", "Report for CI servers, each case a test; of a shard as --html");
  output.value("--markdown", options->markdown, "FILE", "Summary for a comment; of a shard as --html");
  declare_json(app, options->json, "One JSON document on stdout, in place of the text");
  const OptionGroup beginning(app, "A suite to begin with");
  beginning.value("--init", options->init, "FOLDER", "Write FOLDER/suite.json");
  beginning.value("-m,--model", options->model, "MODEL", "Of this model (the first that is known)");
  app.footer(smoke_footer);
  return [options, update] {
    options->update = update->count() > 0;
    std::erase(options->updated, "");
    return smoke(*options);
  };
}

}  // namespace lapis::cli
