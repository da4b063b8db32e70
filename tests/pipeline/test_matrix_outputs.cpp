#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "pipeline/matrix_outputs.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;

namespace {

core::Matrix matrix_of_one() {
  core::Matrix matrix;
  core::MatrixLatent latent;
  latent.name = "a";
  latent.right = {8, 8, std::vector<std::uint8_t>(std::size_t{3} * 8 * 8, 100)};
  matrix.latents.push_back(latent);
  matrix.cells.resize(1);
  return matrix;
}

}  // namespace

TEST_CASE("a matrix is three files in a folder, which is made") {
  const io::test::TemporaryFolder folder;
  for (const char* name : {"new", "other/"}) {
    const std::vector<Output> outputs = plan_matrix_outputs(folder.path().string() + "/" + name, {});
    CHECK(outputs.size() == 3);
    CHECK(folder.names().size() == (name == std::string("new") ? 0 : 1));
    save(matrix_of_one(), outputs, {});
  }
  CHECK(folder.names() == std::vector<std::string>{"new", "other"});
  CHECK(io::test::read_text(folder / "new/matrix.png").substr(1, 3) == "PNG");
  CHECK(io::test::read_text(folder / "other/matrix.json").back() == '\n');
  CHECK_THAT(io::test::read_text(folder / "other/matrix.html"), Catch::StartsWith("<!doctype html>"));
}

TEST_CASE("files of a matrix that are there stay, or are in the way") {
  const io::test::TemporaryFolder folder;
  io::test::write_text(folder / "matrix.json", "mine");
  const std::string name = folder.path().string();
  check_fails(ErrorKind::output, {"matrix.json"}, [&] { plan_matrix_outputs(name, {}); });
  const OutputPolicy policy{.skip_existing = true};
  const std::vector<Output> outputs = plan_matrix_outputs(name, policy);
  CHECK(written_places(outputs) == std::vector<int>{0, 2});
  save(matrix_of_one(), outputs, policy);
  CHECK(io::test::read_text(folder / "matrix.json") == "mine");
  CHECK(folder.names().size() == 3);
}

TEST_CASE("standard output is no folder, and neither is nothing") {
  for (const char* name : {"-", "/dev/stdout"}) {
    check_fails(ErrorKind::usage, {name, "three files in a folder", "Name a folder"},
                [&] { plan_matrix_outputs(name, {}); });
  }
  check_fails(ErrorKind::usage, {"output names no folder"}, [] { plan_matrix_outputs("", {}); });
  check_fails(ErrorKind::output, {"nowhere"}, [] { plan_matrix_outputs("nowhere/matrix", {}); });
}
