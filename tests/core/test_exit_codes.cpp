#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "../folder.hpp"
#include "core/text/exit_codes.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every exit code has one row, and every kind of error one") {
  std::set<int> codes;
  std::set<ErrorKind> kinds;
  int last = -1;
  for (const ExitCode& row : exit_codes()) {
    CHECK(row.code > last);
    last = row.code;
    CHECK_FALSE(row.word.empty());
    CHECK_FALSE(row.when.empty());
    if (!row.kind) continue;
    CHECK(kinds.insert(*row.kind).second);
    CHECK(exit_code(*row.kind) == row.code);
  }
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind) {
    CHECK(kinds.contains(static_cast<ErrorKind>(kind)));
  }
}

TEST_CASE("docs/cli.md has the table of exit codes") {
  std::ifstream page(test::folder().parent_path() / "docs/cli.md");
  std::vector<std::string> rows;
  for (std::string line; std::getline(page, line) && !line.starts_with("## What is printed");) {
    if (line.starts_with("| ") && line.size() > 2 && line[2] >= '0' && line[2] <= '9') rows.push_back(line);
  }
  REQUIRE(rows.size() == exit_codes().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ExitCode& row = exit_codes()[i];
    const std::string begin = "| " + std::to_string(row.code) + " | " + std::string(row.when);
    CAPTURE(rows[i], begin);
    CHECK(rows[i].starts_with(begin));
  }
}
