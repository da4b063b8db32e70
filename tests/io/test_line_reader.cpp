#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/file/line_reader.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::vector<Line> lines_of(const std::string& text, std::size_t longest = 100) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a", std::ios::binary) << text;
  LineReader reader((folder / "a").string(), longest);
  std::vector<Line> lines;
  while (std::optional<Line> line = reader.next()) lines.push_back(std::move(*line));
  return lines;
}

}  // namespace

TEST_CASE("lines come without their ends, the last one with or without one") {
  for (const std::string end : {"", "\n", "\r\n"}) {
    const std::vector<Line> lines = lines_of(
        "\xEF\xBB\xBF"
        "a\r\n\nb b" +
        end);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].text == "a");
    CHECK(lines[1].text.empty());
    CHECK(lines[2].text == "b b");
    CHECK(lines[2].number == 3);
  }
  CHECK(lines_of("").empty());
}

TEST_CASE("a line that is too long is cut, and the next one is whole") {
  const std::vector<Line> lines = lines_of(std::string(200'000, 'x') + "\n" + std::string(10, 'y') + "\nz", 10);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].is_too_long);
  CHECK(lines[0].text.size() == 10);
  CHECK_FALSE(lines[1].is_too_long);
  CHECK(lines[1].text == std::string(10, 'y'));
  CHECK(lines[2].text == "z");
}

TEST_CASE("a file that cannot be read is named") {
  check_fails(ErrorKind::input, {"/nowhere/a", "no such file"}, [] { LineReader("/nowhere/a", 10); });
  check_fails(ErrorKind::input, {"cannot be read", "directory"}, [] { LineReader("/", 10).next(); });
}
