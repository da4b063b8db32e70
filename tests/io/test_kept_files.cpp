#include <catch2/catch.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/report/kept_files.hpp"
#include "support.hpp"

using namespace lapis;
using io::KeptFiles;
using io::test::read_text;
using io::test::TemporaryFolder;
using io::test::write_text;

namespace {

using Names = std::vector<std::string>;

std::string keep(const KeptFiles& kept, const std::string& name, const std::string& file) {
  return kept.write(name, file, std::as_bytes(std::span(file)));
}

}  // namespace

TEST_CASE("what was kept of a case goes, and nothing that anybody else wrote") {
  const TemporaryFolder folder;
  const KeptFiles kept(folder.path(), "suite.json");
  const KeptFiles others(folder.path(), "other.json");
  CHECK(keep(kept, "house", "house-actual.png") == (folder / "house-actual.png").string());
  keep(kept, "house", "house-expected.png");
  keep(kept, "boat", "boat-actual.png");
  keep(others, "house", "house-difference.png");
  write_text(folder / "house-expected.png", "changed by hand");
  write_text(folder / "house-1-actual.png", "mine");
  kept.clear("house");
  CHECK(folder.names() == Names{".lapis-smoke.json", "boat-actual.png", "house-1-actual.png", "house-difference.png",
                                "house-expected.png"});
  kept.clear("boat");
  others.clear("house");
  CHECK(folder.names() == Names{"house-1-actual.png", "house-expected.png"});
}

TEST_CASE("a record that is broken, or leads elsewhere, removes nothing") {
  const TemporaryFolder folder;
  const KeptFiles kept(folder / "kept", "suite.json");
  kept.clear("house");
  CHECK(folder.names().empty());
  keep(kept, "house", "a.png");
  const std::filesystem::path record = folder / "kept/.lapis-smoke.json";
  const std::string whole = read_text(record);
  write_text(folder / "a.png", "a.png");
  std::string led = whole;
  led.insert(led.find("a.png"), "../");
  for (const std::string& text : {whole.substr(0, whole.size() / 2), std::string("[1]"),
                                  std::string(R"({"a.png": 1, "b.png": {"sha256": 2}})"), led}) {
    write_text(record, text);
    kept.clear("house");
    CHECK(std::filesystem::exists(folder / "kept/a.png"));
    CHECK(std::filesystem::exists(folder / "a.png"));
  }
}
