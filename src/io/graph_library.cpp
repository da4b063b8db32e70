#include "io/graph_library.hpp"

#include <algorithm>
#include <system_error>

#include "core/weight_scales.hpp"
#include "io/json_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/model_facts.hpp"
#include "io/safetensors.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t longest_description = 4U << 20U;
constexpr std::int64_t format_version = 1;
constexpr std::int64_t longest_side = std::int64_t{1} << 32U;

LibraryGraph read_graph(const fs::path& description) {
  static const Words keys{"version", "name", "part", "inputs", "outputs", "tensors", "origin"};
  const JsonSource source{description.string(), ErrorKind::model,
                          "Install lapis again: its folder models/graphs is damaged", longest_description};
  const MappedFile file(description, ErrorKind::model);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  const nlohmann::json document = parse_json(text, source);
  const JsonValue value(document, source);
  value.expect_keys(keys);
  value.at("version").integer(format_version, format_version);
  LibraryGraph graph;
  graph.known.name = value.at("name").name();
  graph.known.part = value.at("part").name();
  graph.inputs = read_ports(value.at("inputs"));
  graph.outputs = read_ports(value.at("outputs"));
  for (const auto& [name, shape] : value.at("tensors").members()) {
    core::TensorShape tensor{name, {}};
    for (const JsonValue& side : shape.items()) tensor.shape.push_back(side.integer(1, longest_side));
    graph.known.tensors.push_back(std::move(tensor));
  }
  graph.file = fs::path(description).replace_extension(".pt");
  std::error_code error;
  if (!fs::is_regular_file(graph.file, error)) value.fail("stands without its graph " + graph.file.string());
  return graph;
}

}  // namespace

std::vector<LibraryGraph> read_graph_library(const fs::path& folder) {
  std::vector<fs::path> descriptions;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".json") descriptions.push_back(entry->path());
  }
  std::sort(descriptions.begin(), descriptions.end());
  std::vector<LibraryGraph> graphs;
  for (const fs::path& description : descriptions) graphs.push_back(read_graph(description));
  return graphs;
}

std::vector<LibraryGraph> graphs_of(const Model& model) {
  std::vector<LibraryGraph> graphs;
  for (const auto& [name, part] : model.parts) {
    if (part.weights.empty() || part.naming != "diffusers" || !part.prefix.empty()) continue;
    LibraryGraph graph;
    graph.known.name = model.name + ":" + name;
    graph.known.part = name.starts_with("text_encoder") ? "text_encoder" : name;
    graph.file = part.graph;
    graph.inputs = part.inputs;
    graph.outputs = part.outputs;
    for (const fs::path& file : part.weights) {
      const SafetensorsFile weights(file, ErrorKind::model);
      for (const auto& [tensor, view] : weights.tensors()) {
        const bool decoder = name == "vae_decoder" && (tensor.starts_with("encoder.") || tensor.starts_with("quant_"));
        const bool encoder =
            name == "vae_encoder" && (tensor.starts_with("decoder.") || tensor.starts_with("post_quant_"));
        if (!decoder && !encoder && !core::is_weight_note(tensor)) graph.known.tensors.push_back({tensor, view.shape});
      }
    }
    graphs.push_back(std::move(graph));
  }
  return graphs;
}

}  // namespace lapis::io
