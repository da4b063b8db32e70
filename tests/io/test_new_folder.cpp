#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "io/file/atomic_file.hpp"
#include "io/file/new_folder.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

namespace {

/// A model of one part, and `weights` as its bytes.
void fill(const fs::path& folder, const std::string& weights) {
  write_text(folder / "model.json", R"({"files": {"weights/a": {"size": 1}, "graphs/a.pt": {"size": 1}}})");
  write_text(folder / "weights" / "a", weights);
  write_text(folder / "graphs" / "a.pt", "graph");
}

void make(const fs::path& place, const std::string& weights, bool overwrite) {
  NewFolder folder(place, overwrite);
  fill(folder.draft(), weights);
  folder.keep();
}

}  // namespace

TEST_CASE("a new folder appears when it is kept, whole") {
  const TemporaryFolder folder;
  {
    NewFolder made(folder / "deep" / "model" / "", false);
    CHECK(made.place() == folder / "deep" / "model");
    fill(made.draft(), "new");
    CHECK_FALSE(fs::exists(made.place()));
    made.keep();
  }
  CHECK(read_text(folder / "deep" / "model" / "weights" / "a") == "new");
  CHECK(std::distance(fs::directory_iterator(folder / "deep"), {}) == 1);
}

TEST_CASE("what is not kept goes, with its owner or with a signal") {
  const TemporaryFolder folder;
  {
    const NewFolder made(folder / "model", false);
    fill(made.draft(), "new");
    CHECK(folder.names().size() == 1);
  }
  CHECK(folder.names().empty());
  const NewFolder made(folder / "model", false);
  fill(made.draft(), "new");
  remove_pending_files();
  CHECK(folder.names().empty());
}

TEST_CASE("a folder that is there stays, also one that appeared this moment") {
  const TemporaryFolder folder;
  NewFolder late(folder / "model", false);
  fill(late.draft(), "late");
  make(folder / "model", "first", false);
  check_fails(ErrorKind::output, {"model", "exists already", "overwrite"}, [&] { late.keep(); });
  check_fails(ErrorKind::output, {"exists already"}, [&] { NewFolder(folder / "model", false); });
  CHECK(read_text(folder / "model" / "weights" / "a") == "first");
}

TEST_CASE("replacing keeps what is none of the model") {
  const TemporaryFolder folder;
  make(folder / "model", "old", true);
  write_text(folder / "model" / "notes.txt", "mine");
  write_text(folder / "model" / "weights" / "own" / "b", "mine too");
  write_text(folder / "outside", "x");
  fs::create_symlink(folder / "outside", folder / "model" / "link");
  fs::create_directory(folder / "model" / "empty");
  make(folder / "model", "new", true);
  CHECK(folder.names() == Names{"model", "outside"});
  CHECK(read_text(folder / "model" / "weights" / "a") == "new");
  CHECK(read_text(folder / "model" / "notes.txt") == "mine");
  CHECK(read_text(folder / "model" / "weights" / "own" / "b") == "mine too");
  CHECK(fs::read_symlink(folder / "model" / "link") == folder / "outside");
  CHECK(fs::is_directory(folder / "model" / "empty"));
}

TEST_CASE("a file of the user's in the way of the new model refuses it") {
  const TemporaryFolder folder;
  make(folder / "model", "old", false);
  write_text(folder / "model" / "tokenizer", "mine");
  {
    NewFolder made(folder / "model", true);
    fill(made.draft(), "new");
    write_text(made.draft() / "tokenizer", "its own");
    check_fails(ErrorKind::output, {"tokenizer", "Move it away"}, [&] { made.keep(); });
  }
  CHECK(folder.names() == Names{"model"});
  CHECK(read_text(folder / "model" / "weights" / "a") == "old");
}

TEST_CASE("what is no model, or does not tell what is its own, is not replaced") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "photos");
  write_text(folder / "file", "x");
  write_text(folder / "broken" / "model.json", "{");
  check_fails(ErrorKind::output, {"photos", "is no model"}, [&] { NewFolder(folder / "photos", true); });
  check_fails(ErrorKind::output, {"file", "is no model"}, [&] { NewFolder(folder / "file", true); });
  check_fails(ErrorKind::output, {"broken", "damaged"}, [&] { NewFolder(folder / "broken", true); });
  CHECK(folder.names() == Names{"broken", "file", "photos"});
}

TEST_CASE("whatever way leads into the replaced folder is known") {
  const TemporaryFolder folder;
  make(folder / "model", "old", false);
  write_text(folder / "other" / "b", "x");
  fs::create_symlink(folder / "model" / "weights" / "a", folder / "link");
  fs::create_directory_symlink(folder / "model", folder / "way");
  fs::create_hard_link(folder / "model" / "weights" / "a", folder / "hard");
  const NewFolder made(folder / "way", true);
  CHECK(made.place() == folder / "model");
  for (const fs::path& inside : {folder / "model", folder / "link", folder / "hard", folder / "way" / "weights" / "a",
                                 folder / "other" / ".." / "model" / "graphs"}) {
    CAPTURE(inside);
    CHECK(made.replaces(inside));
  }
  CHECK_FALSE(made.replaces(folder / "other" / "b"));
  CHECK_FALSE(made.replaces(folder.path()));
  CHECK_FALSE(NewFolder(folder / "elsewhere", true).replaces(folder / "other" / "b"));
}
