#include "io/checkpoint/graph_library.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/file/json_reader.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/sha256.hpp"
#include "io/graph/graph_archive.hpp"
#include "io/model/model_facts.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t longest_description = 4U << 20U;
constexpr std::int64_t library_version = 1;
constexpr std::int64_t longest_dimension = std::int64_t{1} << 32U;

LibraryGraph read_graph(const fs::path& description) {
  static const Words keys{"version", "name", "part", "inputs", "outputs", "tensors", "origin"};
  const JsonSource source{description.string(), ErrorKind::model,
                          "Install lapis again: its folder models/graphs is damaged", longest_description};
  const nlohmann::json document = read_json(source);
  const JsonValue value(document, source);
  value.expect_keys(keys);
  value.at("version").integer(library_version, library_version);
  LibraryGraph graph;
  graph.known.name = value.at("name").name();
  graph.known.part = value.at("part").name();
  graph.inputs = read_ports(value.at("inputs"));
  graph.outputs = read_ports(value.at("outputs"));
  for (const auto& [name, shape] : value.at("tensors").members()) {
    core::TensorShape tensor{name, {}};
    for (const JsonValue& side : shape.items()) tensor.shape.push_back(side.integer(1, longest_dimension));
    graph.known.tensors.push_back(std::move(tensor));
  }
  graph.file = fs::path(description).replace_extension(".pt");
  if (!is_file(graph.file)) value.fail("stands without its graph {}", graph.file.string());
  return graph;
}

/// The sha256 that a model records of one of its files; "" where it records none.
std::string digest_of(const Model& model, const fs::path& file) {
  const auto facts = model.files.find(name_in(model, file));
  return facts == model.files.end() ? "" : facts->second.sha256;
}

bool same_tensors(const core::KnownGraph& one, const core::KnownGraph& other) {
  constexpr auto sorted = [](const core::KnownGraph& graph) {
    std::map<std::string_view, std::span<const std::int64_t>> shapes;
    for (const core::TensorShape& tensor : graph.tensors) shapes.emplace(tensor.name, tensor.shape);
    return shapes;
  };
  return one.tensors.size() == other.tensors.size() &&
         std::ranges::equal(sorted(one), sorted(other), [](const auto& a, const auto& b) {
           return a.first == b.first && std::ranges::equal(a.second, b.second);
         });
}

}  // namespace

GraphLibrary::GraphLibrary(const fs::path& folder) {
  std::vector<fs::path> descriptions;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".json") descriptions.push_back(entry->path());
  }
  std::sort(descriptions.begin(), descriptions.end());
  for (const fs::path& description : descriptions) {
    LibraryGraph graph = read_graph(description);
    const std::string digest = sha256_file(graph.file, ErrorKind::model);
    take(std::move(graph), digest);
  }
}

void GraphLibrary::add(const Model& model) {
  for (const auto& [name, part] : model.parts) {
    if (part.weights.empty()) continue;
    LibraryGraph graph{{graph_name(model, name), name, {}}, part.graph, part.inputs, part.outputs};
    if (name.starts_with("text_encoder")) graph.known.part = "text_encoder";
    const std::string digest = digest_of(model, part.graph);
    try {
      if (!digests_.contains({digest, graph.known.part})) graph.known.tensors = graph_parameters(part.graph);
    } catch (const Error&) {
      continue;
    }
    take(std::move(graph), digest);
  }
}

void GraphLibrary::take(LibraryGraph graph, const std::string& digest) {
  const std::pair key(digest, graph.known.part);
  const auto known = digest.empty() ? digests_.end() : digests_.find(key);
  const std::size_t place = known != digests_.end() ? known->second : place_of(graph.known);
  if (!digest.empty()) digests_.emplace(key, place);
  graph.known.tensors.clear();
  const std::string name = graph.known.name;
  graphs_.emplace(name, Held{std::move(graph), place});
}

std::size_t GraphLibrary::place_of(const core::KnownGraph& known) {
  const auto same = std::ranges::find_if(architectures_, [&](const core::KnownGraph& each) {
    return each.part == known.part && same_tensors(each, known);
  });
  if (same == architectures_.end()) {
    architectures_.push_back(known);
    return architectures_.size() - 1;
  }
  return static_cast<std::size_t>(same - architectures_.begin());
}

std::string GraphLibrary::architecture_of(const std::string& name) const {
  const auto found = graphs_.find(name);
  return found == graphs_.end() ? "" : architectures_[found->second.architecture].name;
}

LibraryGraph GraphLibrary::graph(const std::string& name) const {
  const Held& held = graphs_.at(name);
  LibraryGraph graph = held.graph;
  graph.known.tensors = architectures_[held.architecture].tensors;
  return graph;
}

std::string graph_name(const Model& model, const std::string& part) {
  return model.folder.filename().string() + ":" + part;
}

}  // namespace lapis::io
