#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "../folder.hpp"
#include "core/families.hpp"
#include "core/recipes.hpp"
#include "io/graph_library.hpp"
#include "io/model_folder.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

const std::filesystem::path models = lapis::test::models();

std::vector<std::string> names(const std::vector<Port>& ports) {
  std::vector<std::string> result;
  for (const Port& port : ports) result.push_back(port.name);
  return result;
}

}  // namespace

TEST_CASE("the library has the graph of every recipe, with the ports of its family's part") {
  const std::vector<LibraryGraph> library = read_graph_library(models / "graphs");
  for (const core::Recipe& recipe : core::recipes()) {
    for (const auto& [part, name] : recipe.parts) {
      INFO(recipe.title << ", " << part << ", " << name);
      const auto graph = std::find_if(library.begin(), library.end(),
                                      [&name = name](const LibraryGraph& each) { return each.known.name == name; });
      REQUIRE(graph != library.end());
      CHECK(part.starts_with(graph->known.part));
      CHECK(std::filesystem::is_regular_file(graph->file));
      if (recipe.family.empty()) continue;
      const core::PartRow* row = core::find_part(*core::find_family(recipe.family), part);
      REQUIRE(row != nullptr);
      std::vector<Port> wanted = row->inputs;
      if (graph->inputs.size() > wanted.size()) {
        wanted.insert(wanted.end(), row->optional_inputs.begin(), row->optional_inputs.end());
      }
      CHECK(names(graph->inputs) == names(wanted));
      CHECK(names(graph->outputs) == names(row->outputs));
    }
  }
}

TEST_CASE("a folder that is not there has no graphs, and one that is damaged says so") {
  const TemporaryFolder folder;
  CHECK(read_graph_library(folder / "nothing").empty());
  write_text(folder / "a.json", R"({"version": 1})");
  CHECK_THROWS_WITH(read_graph_library(folder.path()), Catch::Contains("a.json") && Catch::Contains("Install lapis"));
  write_text(folder / "a.json", R"({"version": 1, "name": "a", "part": "denoiser", "origin": "",
                                    "inputs": [{"name": "x", "dtype": "model", "shape": ["batch"]}],
                                    "outputs": [{"name": "y", "dtype": "model", "shape": ["batch"]}],
                                    "tensors": {"w": [2, 3]}})");
  CHECK_THROWS_WITH(read_graph_library(folder.path()), Catch::Contains("without its graph"));
  write_text(folder / "a.pt", "");
  const std::vector<LibraryGraph> library = read_graph_library(folder.path());
  REQUIRE(library.size() == 1);
  CHECK(library.front().known.tensors.front().shape == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("a model's own graphs serve other checkpoints of its architecture") {
  const std::vector<LibraryGraph> graphs = graphs_of(read_model(models / "tiny-sd15"));
  REQUIRE(graphs.size() == 4);
  for (const LibraryGraph& graph : graphs) {
    CHECK(graph.known.name.starts_with("tiny-sd15:"));
    for (const core::TensorShape& tensor : graph.known.tensors) {
      if (graph.known.part == "vae_decoder") CHECK_FALSE(tensor.name.starts_with("encoder."));
      if (graph.known.part == "vae_encoder") CHECK_FALSE(tensor.name.starts_with("decoder."));
    }
  }
}
