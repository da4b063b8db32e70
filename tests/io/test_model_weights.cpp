#include <catch2/catch.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "io/file/safetensors.hpp"
#include "io/graph/graph_archive.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_weights.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// Tensors of that dtype, by name and shape; their bytes are zeros.
void write(const std::filesystem::path& path, const std::vector<core::TensorShape>& shapes, Dtype dtype) {
  static const std::vector<std::byte> zeros(1U << 22U);
  Safetensors content;
  for (const core::TensorShape& tensor : shapes) {
    const std::size_t bytes = tensor_bytes(dtype, tensor.shape).value();
    content.tensors[tensor.name] = {dtype, tensor.shape, std::span(zeros).first(bytes)};
  }
  write_safetensors(path, content, true);
}

std::uint64_t count_of(const std::vector<core::TensorShape>& shapes) {
  std::uint64_t count = 0;
  for (const core::TensorShape& tensor : shapes) count += tensor_bytes(Dtype::u8, tensor.shape).value();
  return count;
}

}  // namespace

TEST_CASE("what the graphs need is counted, once, whatever parts share a file and whatever else lies in it") {
  const TemporaryFolder folder;
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  std::vector<core::TensorShape> whole;
  std::vector<core::TensorShape> text;
  for (auto& [name, part] : model.parts) {
    const std::vector<core::TensorShape> needed = graph_parameters(part.graph);
    part.prefix = "a." + name.substr(0, 3) + ".";
    std::vector<core::TensorShape>& file = name == "text_encoder" ? text : whole;
    for (const core::TensorShape& tensor : needed) file.push_back({part.prefix + tensor.name, tensor.shape});
    part.weights = {folder / (name == "text_encoder" ? "text.safetensors" : "whole.safetensors")};
  }
  const std::uint64_t numbers = count_of(whole);
  const std::uint64_t words = count_of(text);
  whole.push_back({"a.den.second_table.weight", {1000, 100}});
  whole.push_back({"model_ema.decay", {1}});
  write(folder / "whole.safetensors", whole, Dtype::f16);
  text.push_back({"a.tex.position_ids", {1, 77}});
  write(folder / "text.safetensors", text, Dtype::f8_e4m3);
  const WeightFacts facts = weight_facts(model);
  CHECK(facts.dtypes == "F16 and F8_E4M3");
  CHECK(facts.bytes == 2 * numbers + words);
  CHECK(facts.widened == 4 * (numbers + words));
  model.parts["vae_encoder"] = model.parts["vae_decoder"];
  CHECK(weight_facts(model).bytes < facts.bytes);
  for (auto& [name, part] : model.parts) part.weights.clear();
  CHECK(weight_facts(model).dtypes == "in the graphs");
}
