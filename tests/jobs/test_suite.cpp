#include <catch2/catch.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "jobs/suite.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using io::test::check_fails;

namespace {

io::Suite suite_of(const std::string& cases) {
  const io::test::TemporaryFolder folder;
  std::ofstream(folder / "suite.json") << "{\"cases\": [" << cases << "]}";
  io::Suite suite = io::read_suite(folder / "suite.json");
  suite.file = "suite.json";
  suite.folder = "suites";
  return suite;
}

std::vector<std::string> names_of(const std::vector<const io::SuiteCase*>& cases) {
  std::vector<std::string> names;
  for (const io::SuiteCase* test : cases) names.push_back(test->name);
  return names;
}

constexpr const char* chain = R"(
  {"name": "decoded", "job": {"command": "decode", "latent": "{latent}"}},
  {"name": "latent", "job": {"command": "encode", "images": ["{house}", "extra.png"], "model": "tiny-sd15"}},
  {"name": "house", "job": {"prompt": "a house"}},
  {"name": "boat", "job": {"prompt": "a boat"}})";

}  // namespace

TEST_CASE("cases come after those that they need, and bring them") {
  const io::Suite suite = suite_of(chain);
  check_suite(suite);
  using Names = std::vector<std::string>;
  CHECK(names_of(selected(suite, {}, std::nullopt)) == Names{"house", "latent", "decoded", "boat"});
  const Names decoded = {"decoded"};
  CHECK(names_of(selected(suite, decoded, std::nullopt)) == Names{"house", "latent", "decoded"});
  const Names other = {"hoose"};
  check_fails(ErrorKind::usage, {"hoose", "house"}, [&] { selected(suite, other, std::nullopt); });
}

TEST_CASE("shards share all cases, and keep those together that need each other") {
  const io::Suite suite = suite_of(chain);
  const auto first = names_of(selected(suite, {}, Shard{1, 2, ""}));
  const auto second = names_of(selected(suite, {}, Shard{2, 2, ""}));
  CHECK(first == std::vector<std::string>{"house", "latent", "decoded"});
  CHECK(second == std::vector<std::string>{"boat"});
}

TEST_CASE("suites that make no sense are refused by name") {
  const auto refuses = [](const std::string& cases, std::initializer_list<std::string> words) {
    INFO(cases);
    const io::Suite suite = suite_of(cases);
    check_fails(ErrorKind::input, words, [&] { check_suite(suite); });
  };
  refuses(R"({"name": "a", "job": {"command": "decode", "latent": "{b}"}},
             {"name": "b", "job": {"command": "encode", "images": "{a}", "model": "tiny-sd15"}})",
          {"circle", "a -> b -> a"});
  refuses(R"({"name": "a", "job": {"prompt": "x"}, "time": {"case": "a", "at_most": 1}})", {"a -> a"});
  refuses(R"({"name": "a", "job": {"prompt": "x", "image": "{hose}"}}, {"name": "hoses", "job": {"prompt": "x"}})",
          {"case a", "hose", "hoses"});
  refuses(R"({"name": "a", "job": {"prompt": "x", "image": "{b}"}},
             {"name": "b", "job": {"prompt": "x", "steps": 0}, "exit": 2})",
          {"case a", "b", "refused"});
  refuses(R"({"name": "a", "job": {"prompt": "x", "image": "/tmp/a.png"}})", {"case a", "/tmp/a.png", "outside"});
  refuses(R"({"name": "a", "job": {"prompt": "x", "image": "../a.png"}})", {"../a.png"});
  refuses(R"({"name": "a", "job": {"prompt": "x", "model": "/models/x"}})", {"/models/x"});
  refuses(R"({"name": "a", "job": {"prompt": "x", "embeddings": ["w=/x.pt"]}})", {"/x.pt"});
  refuses(R"({"name": "a", "job": {"command": "convert", "latent": "x.npy", "to": "../m"}})", {"../m", "outside"});
  refuses(R"({"name": "a", "job": {"command": "convert", "latent": "x.npy", "to": "m", "from": "/m"}})", {"/m"});
}

TEST_CASE("a job's files are found from the suite's folder, and its output is named after the case") {
  const io::Suite suite = suite_of(chain);
  const BatchJob job = job_of(suite.cases[1], suite, "out", {{"house", "out/house.png"}});
  CHECK(job.said.inputs == std::vector<std::string>{"out/house.png", "suites/extra.png"});
  CHECK(job.said.job.output == "out/latent.safetensors");
  CHECK(job.said.job.model == "tiny-sd15");
  CHECK(job_of(suite.cases[2], suite, "out", {}).said.job.output == "out/house.png");
  CHECK(job_of(suite.cases[2], suite, "out", {}).place.seed == job_of(suite.cases[2], suite, "other", {}).place.seed);
}

TEST_CASE("both models of a conversion are found as every model is: by name, or from the suite's folder") {
  const io::Suite suite = suite_of(
      R"({"name": "a", "job": {"command": "convert", "latent": "x.npy", "to": "models/m", "from": "tiny-sd15"}})");
  check_suite(suite);
  const auto words = job_of(suite.cases[0], suite, "out", {}).said.words;
  CHECK(words.at("to") == "suites/models/m");
  CHECK(words.at("from") == "tiny-sd15");
}

TEST_CASE("a case owns the files of its name, counted ones too") {
  const io::Suite suite = suite_of(chain);
  const io::SuiteCase& house = suite.cases[2];
  CHECK(owns(house, "goldens/house.png"));
  CHECK(owns(house, "house-12.png"));
  CHECK(!owns(house, "house-a.png"));
  CHECK(!owns(house, "houses.png"));
  CHECK(!owns(house, "hous.png"));
}
