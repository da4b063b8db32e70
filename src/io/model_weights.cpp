#include "io/model_weights.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "core/weight_scales.hpp"
#include "io/safetensors.hpp"

namespace lapis::io {
namespace {

constexpr std::uint64_t bytes_of_fp32 = 4;

}  // namespace

WeightFacts weight_facts(const Model& model) {
  std::map<std::filesystem::path, std::set<std::string>> prefixes;
  for (const auto& [name, part] : model.parts) {
    for (const std::filesystem::path& file : part.weights) prefixes[file].insert(part.prefix);
  }
  WeightFacts facts;
  std::set<std::string> dtypes;
  for (const auto& [path, wanted] : prefixes) {
    const SafetensorsFile file(path, ErrorKind::model, stray_checkpoint_bytes);
    for (const auto& [name, view] : file.tensors()) {
      const auto begins = [&name = name](const std::string& prefix) { return name.starts_with(prefix); };
      if (std::ranges::none_of(wanted, begins) || core::is_weight_note(name)) continue;
      dtypes.emplace(dtype_name(view.dtype));
      facts.bytes += view.data.size();
      const unsigned bits = dtype_bits(view.dtype);
      if (bits < 8 * bytes_of_fp32) facts.widened += view.data.size() * 8 / bits * bytes_of_fp32;
    }
  }
  for (const std::string& dtype : dtypes) facts.dtypes += (facts.dtypes.empty() ? "" : " and ") + dtype;
  if (dtypes.empty()) facts.dtypes = "in the graphs";
  return facts;
}

}  // namespace lapis::io
