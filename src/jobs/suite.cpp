#include "jobs/suite.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

/// The case that a word stands for; none where it is a file's name.
std::optional<std::string> case_in(const std::string& word) {
  if (word.size() < 3 || word.front() != '{' || word.back() != '}') return std::nullopt;
  return word.substr(1, word.size() - 2);
}

/// Calls `take` with every word of a job that names a file.
void each_file(io::JobLine& line, const std::function<void(std::string&)>& take) {
  for (std::string& input : line.inputs) take(input);
  for (auto field : {&Job::image, &Job::mask, &Job::init_latent}) {
    if (line.job.*field) take(*(line.job.*field));
  }
}

/// Calls `take` with every word that names a model or what is added to one: a name, or a path where it has a "/".
void each_model(io::JobLine& line, const std::function<void(std::string&)>& take) {
  for (std::vector<std::string> Job::*list : {&Job::loras, &Job::embeddings}) {
    for (std::string& word : line.job.*list) take(word);
  }
  take(line.job.model);
  if (line.job.then) take(*line.job.then);
  for (const char* key : {"to", "from"}) {
    if (const auto word = line.words.find(key); word != line.words.end()) take(word->second);
  }
}

std::vector<std::string> sources_of(const io::SuiteCase& test) {
  std::vector<std::string> names;
  io::JobLine line = test.job;
  each_file(line, [&](const std::string& word) {
    if (const auto name = case_in(word)) names.push_back(*name);
  });
  return names;
}

const io::SuiteCase* find_case(const io::Suite& suite, const std::string& name) {
  const auto found = std::ranges::find(suite.cases, name, &io::SuiteCase::name);
  return found == suite.cases.end() ? nullptr : &*found;
}

/// What stands before a path in "NAME=FILE".
std::size_t path_begin(const std::string& word) {
  const std::size_t equals = word.find('=');
  return equals == std::string::npos ? 0 : equals + 1;
}

void check_inside(const std::string& path, const std::string& where) {
  if (!io::leads_out(path)) return;
  throw Error(ErrorKind::input, core::sentence("{}: {} lies outside of the suite's folder.", where, path),
              "Put the file beside the suite, and name it from there, so that the suite runs on every machine");
}

void check_files(const io::SuiteCase& test) {
  io::JobLine line = test.job;
  each_file(line, [&](const std::string& word) {
    if (!case_in(word)) check_inside(word, test.where);
  });
  for (const std::string& folder : line.job.lora_dirs) check_inside(folder, test.where);
  each_model(line, [&](const std::string& word) { check_inside(word.substr(path_begin(word)), test.where); });
}

void check_needs(const io::Suite& suite, const io::SuiteCase& test) {
  const std::vector<std::string> names = core::row_names(suite.cases);
  for (const std::string& name : needs(test)) {
    if (find_case(suite, name) != nullptr) continue;
    throw Error(ErrorKind::input,
                core::sentence("{}: there is no case \"{}\"{}", test.where, name, core::guess(name, names)));
  }
  for (const std::string& name : sources_of(test)) {
    if (find_case(suite, name)->exit == 0) continue;
    throw Error(ErrorKind::input, core::sentence("{}: it reads the output of case {}, which is refused and makes none",
                                                 test.where, name));
  }
}

/// Visits cases, those that each needs before it.
class Order {
 public:
  explicit Order(const io::Suite& suite) : suite_(suite) {}

  void add(const io::SuiteCase& test) {
    if (std::ranges::find(done_, &test) != done_.end()) return;
    if (const auto begun = std::ranges::find(way_, test.name); begun != way_.end()) {
      std::vector<std::string> circle(begun, way_.end());
      circle.push_back(test.name);
      throw Error(ErrorKind::input,
                  core::sentence("{}: cases need each other in a circle: {}.", suite_.file.string(),
                                 core::joined(circle, " -> ")),
                  "Let one of them do without the other");
    }
    way_.push_back(test.name);
    for (const std::string& name : needs(test)) add(*find_case(suite_, name));
    way_.pop_back();
    done_.push_back(&test);
  }

  const std::vector<const io::SuiteCase*>& cases() const { return done_; }

 private:
  const io::Suite& suite_;
  std::vector<std::string> way_;
  std::vector<const io::SuiteCase*> done_;
};

/// Of cases that need each other the number of one, the same for all of them.
std::vector<std::size_t> groups_of(std::span<const io::SuiteCase* const> cases) {
  std::vector<std::size_t> group(cases.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const std::string& name : needs(*cases[i])) {
      const auto needed = std::ranges::find(cases, name, &io::SuiteCase::name);
      const std::size_t from = group[i];
      std::ranges::replace(group, from, group[static_cast<std::size_t>(needed - cases.begin())]);
    }
  }
  return group;
}

std::vector<const io::SuiteCase*> of_shard(std::span<const io::SuiteCase* const> cases, const Shard& shard) {
  const std::vector<std::size_t> group = groups_of(cases);
  std::vector<JobCost> costs;
  std::map<std::size_t, std::size_t> place;  // of a group in `costs`
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto [at, is_new] = place.emplace(group[i], costs.size());
    if (is_new) costs.push_back({cases[group[i]]->name, 0});
    costs[at->second].cost += 1;
  }
  const std::vector<int> shards = dealt(costs, shard.count);
  std::vector<const io::SuiteCase*> kept;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (shards[place.at(group[i])] == shard.index) kept.push_back(cases[i]);
  }
  return kept;
}

/// A seed for a case that names none: always the same.
std::uint64_t seed_of(const std::string& name) {
  return std::stoull(io::sha256(std::as_bytes(std::span(name))).substr(0, 16), nullptr, 16);
}

/// A golden is one case's: those of several pictures have its name and a number.
void check_goldens(const io::Suite& suite, const io::SuiteCase& test) {
  for (const io::SuiteCase& other : suite.cases) {
    if (!test.golden || &other == &test || !owns(other, test.name + ".png")) continue;
    throw Error(ErrorKind::input,
                core::sentence("{}: case \"{}\" is called as a golden of case \"{}\" is.", suite.file.string(),
                               test.name, other.name),
                "Rename one of them");
  }
}

}  // namespace

std::vector<std::string> needs(const io::SuiteCase& test) {
  std::vector<std::string> names = sources_of(test);
  if (test.time) names.push_back(test.time->other);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void check_suite(const io::Suite& suite) {
  for (const io::SuiteCase& test : suite.cases) {
    check_files(test);
    check_needs(suite, test);
    check_goldens(suite, test);
  }
  Order order(suite);
  for (const io::SuiteCase& test : suite.cases) order.add(test);
}

std::vector<const io::SuiteCase*> selected(const io::Suite& suite, std::span<const std::string> words,
                                           const std::optional<Shard>& shard, bool whole) {
  Order order(suite);
  std::vector<bool> met(words.size());
  for (const io::SuiteCase& test : suite.cases) {
    bool is_wanted = words.empty();
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (whole ? test.name != words[i] : test.name.find(words[i]) == std::string::npos) continue;
      met[i] = true;
      is_wanted = true;
    }
    if (is_wanted) order.add(test);
  }
  if (const auto missed = std::ranges::find(met, false); missed != met.end()) {
    const std::string& word = words[static_cast<std::size_t>(missed - met.begin())];
    const std::string hint = core::guess(word, core::row_names(suite.cases));
    throw Error(ErrorKind::usage,
                whole ? core::sentence("no case of {} is called \"{}\"{}", suite.file.string(), word, hint)
                      : core::sentence("no case of {} has \"{}\" in its name{}", suite.file.string(), word, hint));
  }
  return shard ? of_shard(order.cases(), *shard) : order.cases();
}

BatchJob job_of(const io::SuiteCase& test, const io::Suite& suite, const fs::path& folder,
                const std::map<std::string, std::string>& made) {
  BatchJob job;
  job.line = 1;
  job.place.number = 1;
  job.where = test.where;
  job.said = test.job;
  job.place.seed = seed_of(test.name);
  each_file(job.said, [&](std::string& word) {
    const std::optional<std::string> name = case_in(word);
    word = name ? made.at(*name) : (suite.folder / word).string();
  });
  for (std::string& each : job.said.job.lora_dirs) each = (suite.folder / each).string();
  each_model(job.said, [&](std::string& word) {
    const std::size_t begin = path_begin(word);
    if (word.find('/', begin) != std::string::npos) word.insert(begin, (suite.folder / "").string());
  });
  const bool makes_latent = test.job.command == "encode" || test.job.command == "convert";
  job.said.job.output = (folder / (test.name + (makes_latent ? ".safetensors" : ".png"))).string();
  job.said.named.emplace("output");
  return job;
}

bool owns(const io::SuiteCase& test, const fs::path& file) {
  if (!test.golden) return false;
  const std::string stem = file.stem().string();
  if (!stem.starts_with(test.name)) return false;
  const std::string rest = stem.substr(test.name.size());
  return rest.empty() || (rest.size() > 1 && (rest.front() == '-' || rest.front() == '_') &&
                          rest.find_first_not_of("0123456789", 1) == std::string::npos);
}

}  // namespace lapis::jobs
