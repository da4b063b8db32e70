#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "io/file/atomic_file.hpp"
#include "io/picture/png.hpp"
#include "jobs/contact_sheet.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using namespace lapis::jobs::test;
using io::test::check_fails;

namespace {

/// A sheet of jobs that each made a picture of one colour.
struct Made {
  ListFile file;

  core::Sheet sheet_of(const ListAsked& asked) const {
    ContactSheet sheet((file.folder / "sheet.png").string(), asked);
    const std::vector<BatchJob> jobs = all_jobs(asked);
    for (const BatchJob& job : jobs) sheet.expect(job);
    for (const BatchJob& job : jobs) {
      const std::string path = (file.folder / (std::to_string(job.line) + ".png")).string();
      io::write_file(path, io::encode_png(Image{1, 1, {static_cast<std::uint8_t>(job.line), 0, 0}}, {}), true);
      sheet.add(job, std::vector{path, std::string("a.safetensors")});
    }
    return sheet.sheet();
  }
};

int line_at(const core::Sheet& sheet, std::size_t row, std::size_t column) {
  const core::SheetCell& cell = sheet.cells[row * sheet.columns.size() + column];
  return cell.tiles.empty() ? 0 : cell.tiles.front().picture.value().rgb.front();
}

}  // namespace

TEST_CASE("of two axes the first goes down and the last across") {
  const Made made;
  ListAsked asked = made.file.asked("{\"prompt\": \"a\"}\n");
  asked.axes = {parse_axis("seed=1..2"), parse_axis("guidance=3,5,7")};
  const core::Sheet sheet = made.sheet_of(asked);
  CHECK(sheet.columns == std::vector<core::SheetHeading>{{"guidance 3"}, {"guidance 5"}, {"guidance 7"}});
  CHECK(sheet.rows == std::vector<core::SheetHeading>{{"seed 1"}, {"seed 2"}});
  for (int row = 0; row < 2; ++row) {
    for (int column = 0; column < 3; ++column) CHECK(line_at(sheet, row, column) == row * 3 + column + 1);
  }
}

TEST_CASE("lines and all axes but the last share the rows") {
  const Made made;
  ListAsked asked = made.file.asked("{\"prompt\": \"a\"}\n{\"name\": \"second\", \"prompt\": \"b\"}\n");
  asked.axes = {parse_axis("seed=1..2"), parse_axis("steps=3,5")};
  const core::Sheet sheet = made.sheet_of(asked);
  CHECK(sheet.rows ==
        std::vector<core::SheetHeading>{{"a", "seed 1"}, {"a", "seed 2"}, {"second", "seed 1"}, {"second", "seed 2"}});
  CHECK(line_at(sheet, 3, 1) == 8);
}

TEST_CASE("lines with one prompt have a row each") {
  const Made made;
  ListAsked asked = made.file.asked("{\"prompt\": \"a\"}\n{\"prompt\": \"a\"}\n");
  asked.axes = {parse_axis("steps=3,5")};
  const core::Sheet sheet = made.sheet_of(asked);
  CHECK(sheet.rows == std::vector<core::SheetHeading>{{"a"}, {"a"}});
  CHECK(line_at(sheet, 0, 1) == 2);
  CHECK(line_at(sheet, 1, 0) == 3);
}

TEST_CASE("a plain list is a square, each picture with its own words") {
  const Made made;
  const core::Sheet sheet =
      made.sheet_of(made.file.asked("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n{\"prompt\": \"c\"}\n"));
  REQUIRE(sheet.columns.size() == 2);
  REQUIRE(sheet.rows.size() == 2);
  CHECK(line_at(sheet, 1, 0) == 3);
  CHECK(line_at(sheet, 1, 1) == 0);
  CHECK(sheet.cells[2].tiles.front().caption.front().text == "c");
}

TEST_CASE("what failed, what is not there and what was not done say so in their places") {
  const ListFile file;
  const ListAsked asked = file.asked("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n{\"prompt\": \"c\"}\n");
  ContactSheet sheet((file.folder / "sheet.html").string(), asked);
  const std::vector<BatchJob> jobs = all_jobs(asked);
  for (const BatchJob& job : jobs) sheet.expect(job);
  sheet.add(jobs[0], Error(ErrorKind::usage, "steps is 0"));
  sheet.add(jobs[1], std::vector{(file.folder / "gone.png").string()});
  const core::Sheet drawn = sheet.sheet();
  CHECK(drawn.cells[0].tiles.front().text == "steps is 0");
  CHECK_THAT(drawn.cells[1].tiles.front().text, Catch::Contains("gone.png"));
  CHECK(drawn.cells[2].tiles.front().text == "not done");
  sheet.write();
  CHECK(std::filesystem::exists(file.folder / "sheet.html"));
}

TEST_CASE("a sheet is a .png or a .html, and has an end") {
  check_fails(ErrorKind::usage, {"sheet.jpg", ".html"}, [] { ContactSheet("sheet.jpg", {}); });
  ContactSheet sheet("sheet.png", {});
  BatchJob job;
  for (job.place.number = 0; job.place.number < most_sheet_jobs; ++job.place.number) sheet.expect(job);
  check_fails(ErrorKind::usage, {"1000"}, [&] { sheet.expect(job); });
}
