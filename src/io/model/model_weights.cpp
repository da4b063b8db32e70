#include "io/model/model_weights.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/safetensors.hpp"
#include "io/graph/graph_archive.hpp"

namespace lapis::io {
namespace {

constexpr std::uint64_t bytes_of_fp32 = 4;

/// The tensors that a part needs, as its weight files name them.
std::set<std::string> needed_tensors(const Part& part) {
  std::set<std::string> names;
  const core::KeySchemeRow* key_scheme = core::find_key_scheme(part.key_scheme);
  if (key_scheme == nullptr) return names;
  for (const core::TensorShape& tensor :
       core::checkpoint_tensors(key_scheme->key_scheme, graph_parameters(part.graph))) {
    names.insert(part.prefix + tensor.name);
  }
  return names;
}

}  // namespace

WeightFacts weight_facts(const Model& model) {
  std::map<std::filesystem::path, std::set<std::string>> needed;
  for (const auto& [name, part] : model.parts) {
    if (part.weights.empty()) continue;
    const std::set<std::string> names = needed_tensors(part);
    for (const std::filesystem::path& file : part.weights) needed[file].insert(names.begin(), names.end());
  }
  WeightFacts facts;
  std::set<std::string> dtypes;
  for (const auto& [path, wanted] : needed) {
    const SafetensorsFile file(path, ErrorKind::model, stray_checkpoint_bytes);
    for (const std::string& name : wanted) {
      const TensorView* view = file.find(name);
      if (view == nullptr) continue;  // it lies in another of the part's files
      dtypes.emplace(dtype_name(view->dtype));
      facts.bytes += view->data.size();
      const unsigned bits = dtype_bits(view->dtype);
      if (bits < 8 * bytes_of_fp32) facts.widened += view->data.size() * 8 / bits * bytes_of_fp32;
    }
  }
  facts.dtypes =
      dtypes.empty() ? "in the graphs" : core::joined(std::vector<std::string>(dtypes.begin(), dtypes.end()), " and ");
  return facts;
}

}  // namespace lapis::io
