#include <catch2/catch.hpp>
#include <string>

#include "io/file/text.hpp"
#include "io/report/sheet_page.hpp"

using namespace lapis;
using namespace lapis::io;

namespace {

core::Sheet two_by_one() {
  core::Sheet sheet;
  sheet.title = "a <sheet>";
  sheet.notes = {"\"a & b\""};
  sheet.columns = {{"guidance 3"}, {"guidance 5"}};
  sheet.rows = {{"line 1", "seed 7"}};
  sheet.cells.resize(2);
  core::SheetTile tile;
  tile.picture = Image{2, 1, {0, 0, 0, 255, 255, 255}};
  tile.link = "out/a b\"#é.png";
  sheet.cells[0].tiles.push_back(tile);
  sheet.cells[1].tiles.push_back({std::nullopt, "steps is 0 <", {{"a caption", {}}}, ""});
  return sheet;
}

std::string text_of(const core::Sheet& sheet) { return std::string(as_chars(sheet_page(sheet))); }

}  // namespace

TEST_CASE("a page has headings, pictures that lead to their files, and texts in place of those that are not there") {
  const std::string page = text_of(two_by_one());
  for (const char* part :
       {"<h1>a &lt;sheet&gt;</h1>", "a &amp; b", "<th scope=\"col\">guidance 5</th>",
        "<span>line 1</span><span>seed 7</span>",
        "<a href=\"out/a%20b%22%23%C3%A9.png\"><img src=\"data:image/png;base64,", "alt=\"line 1, seed 7 guidance 3\"",
        "<div class=\"none\">steps is 0 &lt;</div>", "<figcaption>a caption</figcaption>"}) {
    CAPTURE(part);
    CHECK_THAT(page, Catch::Contains(part));
  }
  CHECK(page.find("http") == std::string::npos);
}

TEST_CASE("a page of a plain row has no headings") {
  core::Sheet sheet = two_by_one();
  sheet.columns = {{}, {}};
  sheet.rows = {{}};
  CHECK(text_of(sheet).find("<th ") == std::string::npos);
}
