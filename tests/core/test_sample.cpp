// Runs that are stopped and taken up again.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "core/sampling/samplers.hpp"
#include "sampler_runs.hpp"

using namespace lapis;
using namespace lapis::core;
using test::no_callback;

namespace {

/// A network that no sampler solves exactly.
double network(double x, double sigma) { return std::tanh(x / (1 + sigma)) + 0.1 * std::sin(3 * x * sigma); }

double noise_number(int draw) { return std::sin(1.7 * draw); }

/// One run over a schedule, of which parts are sampled one after the other.
struct Run {
  std::string sampler;
  Path path;
  double eta;
  std::vector<double> sigmas;
  double x = 0.4;
  Memory<double> memory = {};
  int drawn = 0;
  std::vector<int> counted = {};

  int steps() const { return static_cast<int>(sigmas.size()) - 1; }

  void go(int first, int last) {
    static const SigmaTimeMap times({});
    const SamplerContext context{sigmas, path, eta, &times, first, last};
    x = sample(
        find_sampler(sampler), network, x, context, memory, [&] { return noise_number(++drawn); },
        [&](int done, int all) {
          CHECK(all == steps());
          counted.push_back(done);
        });
  }
};

std::vector<Run> every_run(const std::vector<double>& sigmas) {
  std::vector<Run> runs;
  for (const SamplerRow& row : samplers()) {
    for (const Path path : test::paths) {
      if (!supports(row, path)) continue;
      for (const double eta : {0.0, 0.7}) runs.push_back({row.name, path, eta, sigmas});
    }
  }
  return runs;
}

std::string name_of(const Run& run) {
  return find_sampler(run.sampler).name + " on " + test::path_name(run.path) + ", eta " + std::to_string(run.eta);
}

const std::vector<double> eight_steps = {1.0, 0.9, 0.75, 0.6, 0.45, 0.3, 0.2, 0.1, 0.0};

}  // namespace

TEST_CASE("the signal fades on the flow path alone") {
  CHECK(alpha_of(Path::flow, 0.75) == 0.25);
  CHECK(alpha_of(Path::variance_exploding, 14.6) == 1);
}

TEST_CASE("a run that stops anywhere and goes on ends where an unbroken one ends, to the bit") {
  const std::vector<double> repeating = {1.0, 1.0, 0.8, 0.6, 0.6, 0.6, 0.4, 0.2, 0.2, 0.1, 0.0};
  for (const std::vector<double>& sigmas : {eight_steps, repeating}) {
    for (const Run& start : every_run(sigmas)) {
      INFO(name_of(start));
      Run unbroken = start;
      unbroken.go(0, unbroken.steps());
      for (int stop = 0; stop <= start.steps(); ++stop) {
        INFO("stopped after " << stop);
        Run run = start;
        run.go(0, stop);
        CHECK((run.counted.empty() || run.counted.back() == stop));
        run.go(stop, run.steps());
        CHECK(run.x == unbroken.x);
        CHECK(run.drawn == unbroken.drawn);
        CHECK(run.counted.back() == run.steps());
      }
      Run one_by_one = start;
      for (int step = 0; step < start.steps(); ++step) one_by_one.go(step, step + 1);
      CHECK(one_by_one.x == unbroken.x);
    }
  }
}

TEST_CASE("a stopped run stands at the sigma where it stopped") {
  for (const Run& start : every_run(eight_steps)) {
    INFO(name_of(start));
    std::vector<double> cut(eight_steps.begin(), eight_steps.begin() + 4);
    Run stopped = start;
    stopped.go(0, 3);
    if (start.sampler == "unipc") continue;  // takes the last step of any schedule with the first order
    Run shorter = start;
    shorter.sigmas = cut;
    shorter.go(0, 3);
    CHECK(stopped.x == shorter.x);
  }
}

TEST_CASE("without its memory a run that remembers ends elsewhere, and without its draws one with noise") {
  for (const Run& start : every_run(eight_steps)) {
    INFO(name_of(start));
    Run unbroken = start;
    unbroken.go(0, unbroken.steps());
    Run forgetful = start;
    forgetful.go(0, 3);
    forgetful.memory.clear();
    forgetful.go(3, forgetful.steps());
    CHECK((forgetful.x != unbroken.x) == (find_sampler(start.sampler).remembers > 0));
    Run careless = start;
    careless.go(0, 3);
    const bool drew = careless.drawn > 0;
    careless.drawn = 0;
    careless.go(3, careless.steps());
    CHECK((careless.x != unbroken.x) == drew);
  }
}

TEST_CASE("a run remembers as much as its row says") {
  for (const Run& start : every_run(eight_steps)) {
    INFO(name_of(start));
    const auto most = static_cast<std::size_t>(find_sampler(start.sampler).remembers);
    Run run = start;
    for (int step = 0; step < 7; ++step) {
      run.go(step, step + 1);
      CHECK(run.memory.size() <= most);
      CHECK_NOTHROW(check_memory(find_sampler(start.sampler), step + 1, run.memory.size()));
    }
    CHECK(run.memory.size() == most);
  }
}

TEST_CASE("what another sampler remembers is refused") {
  const auto refused = [](const char* name, int steps, std::size_t count) {
    CHECK_THROWS_WITH(check_memory(find_sampler(name), steps, count), Catch::Contains("another sampler"));
  };
  refused("euler", 3, 1);
  refused("dpmpp_2m", 3, 2);
  refused("dpmpp_2m", 0, 1);
  refused("lms", 2, 3);
  refused("unipc", 3, 1);
  refused("unipc", 1, 3);
  refused("unipc", 0, 1);
  Run run{"lms", Path::flow, 0, eight_steps};
  run.memory = {1, 2, 3};
  CHECK_THROWS_WITH(run.go(2, 8), Catch::Contains("lms other ones after 2"));
  run.memory = {};
  CHECK_NOTHROW(run.go(2, 8));
}
