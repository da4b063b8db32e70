#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "../folder.hpp"
#include "core/family/families.hpp"
#include "core/family/recipes.hpp"
#include "io/checkpoint/graph_library.hpp"
#include "io/graph/graph_archive.hpp"
#include "io/model/model_folder.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::vector<std::string> names(const std::vector<Port>& ports) {
  std::vector<std::string> result;
  for (const Port& port : ports) result.push_back(port.name);
  return result;
}

std::map<std::string, std::vector<std::int64_t>> shapes_of(const std::vector<core::TensorShape>& tensors) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (const core::TensorShape& tensor : tensors) shapes[tensor.name] = tensor.shape;
  return shapes;
}

}  // namespace

TEST_CASE("the library has the graph of every recipe, with the ports of its family's part") {
  const GraphLibrary library(lapis::test::models() / "graphs");
  for (const core::Recipe& recipe : core::recipes()) {
    for (const auto& [part, name] : recipe.parts) {
      INFO(recipe.title << ", " << part << ", " << name);
      REQUIRE(library.architecture_of(name) == name);
      const LibraryGraph graph = library.graph(name);
      CHECK(part.starts_with(graph.known.part));
      CHECK(std::filesystem::is_regular_file(graph.file));
      CHECK(shapes_of(graph_parameters(graph.file)) == shapes_of(graph.known.tensors));
      if (recipe.family.empty()) continue;
      const core::PartRow* row = core::find_part(*core::find_family(recipe.family), part);
      REQUIRE(row != nullptr);
      std::vector<Port> wanted = row->inputs;
      if (graph.inputs.size() > wanted.size()) {
        wanted.insert(wanted.end(), row->optional_inputs.begin(), row->optional_inputs.end());
      }
      CHECK(names(graph.inputs) == names(wanted));
      CHECK(names(graph.outputs) == names(row->outputs));
    }
  }
}

TEST_CASE("a folder that is not there has no graphs, and one that is damaged says so") {
  const TemporaryFolder folder;
  CHECK(GraphLibrary(folder / "nothing").architectures().empty());
  write_text(folder / "a.json", R"({"version": 1})");
  CHECK_THROWS_WITH(GraphLibrary(folder.path()), Catch::Contains("a.json") && Catch::Contains("Install lapis"));
  write_text(folder / "a.json", R"({"version": 1, "name": "a", "part": "denoiser", "origin": "",
                                    "inputs": [{"name": "x", "dtype": "model", "shape": ["batch"]}],
                                    "outputs": [{"name": "y", "dtype": "model", "shape": ["batch"]}],
                                    "tensors": {"w": [2, 3]}})");
  CHECK_THROWS_WITH(GraphLibrary(folder.path()), Catch::Contains("without its graph"));
  write_text(folder / "a.pt", "");
  CHECK(GraphLibrary(folder.path()).graph("a").known.tensors.front().shape == std::vector<std::int64_t>{2, 3});
}

TEST_CASE("a model's own graphs serve other checkpoints of its architecture, whatever else its files hold") {
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  GraphLibrary library(lapis::test::models() / "graphs");
  const std::size_t published = library.architectures().size();
  library.add(model);
  CHECK(library.architectures().size() == published + 4);
  for (const char* part : {"denoiser", "text_encoder", "vae_decoder", "vae_encoder"}) {
    const std::string name = std::string("tiny-sd15:") + part;
    REQUIRE(library.architecture_of(name) == name);
    CHECK(shapes_of(library.graph(name).known.tensors) == shapes_of(graph_parameters(model.parts.at(part).graph)));
  }
  // The same again under another name, known by its files' digests and without; a text encoder that is a published one.
  const TemporaryFolder folder;
  const std::filesystem::path own = model.folder;
  model.folder = own.parent_path() / "again";
  for (auto& [name, part] : model.parts) part.weights = {folder / "not asked for"};
  model.parts["text_encoder"].graph = lapis::test::models() / "graphs" / "clip-l.pt";
  library.add(model);
  model.files.clear();
  model.folder = own.parent_path() / "third";
  library.add(model);
  CHECK(library.architectures().size() == published + 4);
  for (const char* other : {"again:", "third:"}) {
    CHECK(library.architecture_of(std::string(other) + "denoiser") == "tiny-sd15:denoiser");
    CHECK(library.architecture_of(std::string(other) + "text_encoder") == "clip-l");
    CHECK(library.graph(std::string(other) + "denoiser").file == model.parts.at("denoiser").graph);
    CHECK(library.graph(std::string(other) + "text_encoder").known.tensors.size() > 100);
  }
  model.folder = own.parent_path() / "broken";
  for (auto& [name, part] : model.parts) part.graph = folder / "gone.pt";
  library.add(model);
  CHECK(library.architecture_of("broken:denoiser").empty());
}
