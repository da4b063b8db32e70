#include <catch2/catch.hpp>
#include <fstream>

#include "io/report/golden_records.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;

TEST_CASE("records of goldens come back as they were written") {
  const io::test::TemporaryFolder folder;
  CHECK(read_golden_records(folder.path()).empty());
  const GoldenRecord house{{{"aa", "x86_64 avx2", "0.1.0"}, {"bb", "x86_64 avx2 avx512f", "0.1.0"}}, "tiny-sd15", "cc"};
  write_golden_records(folder.path(), {{"house.png", house}, {"boat.safetensors", {}}});
  const GoldenRecords read = read_golden_records(folder.path());
  REQUIRE(read.size() == 2);
  CHECK(read.at("house.png").approved == house.approved);
  CHECK(read.at("house.png").model == "tiny-sd15");
  CHECK(read.at("house.png").model_sha256 == "cc");
  CHECK(read.at("boat.safetensors").approved.empty());
}

TEST_CASE("records that are none are refused with the file's name") {
  const io::test::TemporaryFolder folder;
  std::ofstream(folder / "goldens.json") << R"({"house.png": {"approved": []}})";
  io::test::check_fails(ErrorKind::input, {"goldens.json", "model"}, [&] { read_golden_records(folder.path()); });
}

TEST_CASE("the class of a CPU is the same each time, and begins with its architecture") {
  CHECK(cpu_class() == cpu_class());
  CHECK(cpu_class().find_first_of(" _0123456789") != std::string::npos);
}
