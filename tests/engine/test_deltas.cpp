#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/deltas.hpp"
#include "engine/part.hpp"
#include "io/file/safetensors.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const std::filesystem::path& deltas_file() {
  static const std::filesystem::path file = data("deltas.safetensors");
  return file;
}

const io::SafetensorsFile& deltas_content() {
  static const io::SafetensorsFile file(deltas_file(), ErrorKind::input);
  return file;
}

at::Tensor tensor(const std::string& name) {
  const io::TensorView& view = *deltas_content().find(name);
  const at::ScalarType type = view.dtype == io::Dtype::bf16 ? at::kBFloat16 : at::kFloat;
  REQUIRE((view.dtype == io::Dtype::f32 || view.dtype == io::Dtype::bf16));
  at::Tensor copy = at::zeros(view.shape, at::TensorOptions().dtype(type));
  std::memcpy(copy.mutable_data_ptr(), view.data.data(), view.data.size());
  return copy;
}

DeltaKind kind_of(const std::string& name) {
  const std::string word = name.substr(0, name.find(','));
  if (word == "loha") return DeltaKind::loha;
  if (word == "lokr") return DeltaKind::lokr;
  return word == "full" ? DeltaKind::full : DeltaKind::lora;
}

/// The delta of one case.
Delta delta_of(const std::string& name) {
  Delta delta{deltas_file(), "p", kind_of(name), {}, std::stod(deltas_content().metadata().at(name)), {}};
  for (const auto& [key, view] : deltas_content().tensors()) {
    const std::string role = key.substr(key.find('/') + 1);
    if (key.starts_with(name + "/") && role != "weight" && role != "merged") delta.tensors[role] = key;
  }
  return delta;
}

at::Tensor added(const std::vector<Delta>& deltas, const at::Tensor& weight) {
  const c10::InferenceMode inference;
  return Deltas(deltas).added(weight, "p");
}

double furthest(const at::Tensor& one, const at::Tensor& other) { return (one - other).abs().max().item<double>(); }

ErrorKind failure(const Delta& delta, const at::Tensor& weight, const std::string& says) {
  try {
    added({delta}, weight);
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains(says));
    return error.kind();
  }
  FAIL("not refused");
  return ErrorKind::internal;
}

/// A file of one tensor "down" [1, 2] and one "up" [2, 1].
std::filesystem::path small_file(float first) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "lapis-test-deltas.safetensors";
  const std::vector<float> down = {first, 2};
  const std::vector<float> up = {3, 4};
  io::write_safetensors(path,
                        {{{"down", {io::Dtype::f32, {1, 2}, std::as_bytes(std::span(down))}},
                          {"up", {io::Dtype::f32, {2, 1}, std::as_bytes(std::span(up))}}},
                         {}},
                        true);
  return path;
}

}  // namespace

TEST_CASE("every kind gives the weights that peft merges, and another scale does not") {
  constexpr double limit = 2e-6;
  CHECK(deltas_content().metadata().size() >= 20);
  for (const auto& [name, scale] : deltas_content().metadata()) {
    INFO(name);
    Delta delta = delta_of(name);
    const at::Tensor weight = tensor(name + "/weight");
    const at::Tensor merged = tensor(name + "/merged");
    const at::Tensor found = added({delta}, weight);
    CHECK(found.sizes() == weight.sizes());
    CHECK(found.scalar_type() == at::kFloat);
    CHECK(furthest(found, merged) < limit);
    CHECK(furthest(found, weight.to(at::kFloat)) > 0.01);
    delta.scale *= 1.05;
    CHECK(furthest(added({delta}, weight), merged) > 100 * limit);
  }
}

TEST_CASE("a parameter that nothing is for keeps its memory") {
  const c10::InferenceMode inference;
  const std::vector<Delta> one = {delta_of("lora, linear")};
  const at::Tensor weight = tensor("lora, linear/weight");
  const Deltas deltas(one);
  CHECK(deltas.added(weight, "other").data_ptr() == weight.data_ptr());
  const at::Tensor before = weight.clone();
  CHECK(deltas.added(weight, "p").data_ptr() != weight.data_ptr());
  CHECK(weight.equal(before));
  CHECK(Deltas({}).added(weight, "p").data_ptr() == weight.data_ptr());
}

TEST_CASE("rows of a fused layer are those of the whole, for every kind") {
  for (const char* name :
       {"lora, linear", "lora, linear, DoRA", "lora, DoRA of kohya", "loha, linear", "lokr, linear", "full"}) {
    INFO(name);
    const at::Tensor weight = tensor(std::string(name) + "/weight");
    const at::Tensor merged = tensor(std::string(name) + "/merged");
    Delta delta = delta_of(name);
    delta.rows = {{5, 10}};
    CHECK(furthest(added({delta}, weight.narrow(0, 5, 10)), merged.narrow(0, 5, 10)) < 2e-6);
    delta.rows = {{10, 10}, {0, 10}};  // as Flux' final shift and scale change places
    const at::Tensor swapped = added({delta}, weight.roll({10}, {0}));
    CHECK(furthest(swapped, merged.roll({10}, {0})) < 2e-6);
  }
}

TEST_CASE("several are added in their order, the same one twice too") {
  const at::Tensor weight = tensor("lora, linear/weight");
  const Delta one = delta_of("lora, linear");
  Delta twice = one;
  twice.scale *= 2;
  CHECK(furthest(added({one, one}, weight), added({twice}, weight)) < 2e-6);
  const Delta dora = delta_of("lora, linear, DoRA");
  const at::Tensor in_order = added({one, dora}, weight);
  CHECK(in_order.equal(added({dora}, added({one}, weight))));
  CHECK(furthest(in_order, added({dora, one}, weight)) > 1e-3);
}

TEST_CASE("factors that are no numbers, and files that changed, are refused by name") {
  const at::Tensor weight = at::zeros({2, 2});
  Delta delta{small_file(1), "p", DeltaKind::lora, {{"down", "down"}, {"up", "up"}}, 1, {}};
  CHECK(added({delta}, weight).equal(at::tensor({3.0F, 6.0F, 4.0F, 8.0F}).view({2, 2})));
  small_file(NAN);
  CHECK(failure(delta, weight, "tensor down holds NaN") == ErrorKind::input);
  small_file(INFINITY);
  CHECK(failure(delta, weight, "tensor down holds NaN or infinity") == ErrorKind::input);
  small_file(1);
  delta.tensors["up"] = "gone";
  CHECK(failure(delta, weight, "has changed") == ErrorKind::input);
  std::filesystem::remove(delta.file);
  CHECK(failure(delta, weight, "lapis-test-deltas") == ErrorKind::input);
}

TEST_CASE("rows of zeros stay finite under DoRA") {
  Delta delta{small_file(0), "p", DeltaKind::lora, {{"down", "down"}, {"up", "up"}, {"magnitude", "up"}}, 0, {}};
  CHECK(added({delta}, at::zeros({2, 2})).equal(at::zeros({2, 2})));
  std::filesystem::remove(delta.file);
}

TEST_CASE("a part is bound to the sums, and anew only where another attachment touches it") {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "lapis-test-slope.safetensors";
  const std::vector<float> diff = {2};
  io::write_safetensors(file, {{{"diff", {io::Dtype::f32, {1}, std::as_bytes(std::span(diff))}}}, {}}, true);
  const auto on = [&](const char* parameter, double scale) {
    return PartAttachments{{}, {{file, parameter, DeltaKind::full, {{"diff", "diff"}}, scale, {}}}};
  };
  const PartAttachments steeper = on("slope", 0.5);
  const Part line = bound_part();  // slope 3, offset 0.5
  LoadedPart part(line, "line", {}, steeper);
  const auto value_at = [&](float x) { return part.run({at::tensor({x})}).front().item<float>(); };
  CHECK(value_at(2) == 8.5F);
  CHECK(part.attach(steeper) == 0);
  CHECK(part.attach(on("slope", 1)) == 1);
  CHECK(value_at(2) == 10.5F);
  CHECK(part.attach(on("inner.offset", 1)) == 2);
  CHECK(value_at(2) == 8.5F);
  PartAttachments both = on("inner.offset", 1);
  both.deltas.push_back(steeper.deltas.front());
  CHECK(part.attach(both) == 1);
  CHECK(value_at(2) == 10.5F);
  PartAttachments renewed = both;
  renewed.deltas.front().sha256 = "another file of that name";
  CHECK(part.attach(renewed) == 1);
  CHECK(part.attach({}) == 2);
  CHECK(value_at(2) == 6.5F);
  CHECK(part.bytes() == 8);
  LoadedPart low(line, "line", {at::kCPU, at::kBFloat16}, steeper);
  CHECK(low.run({at::tensor({1.0F}).to(at::kBFloat16)}).front().scalar_type() == at::kBFloat16);
  std::filesystem::remove(file);
  CHECK_THROWS_AS(part.attach(steeper), Error);
  CHECK(value_at(2) == 6.5F);
  CHECK(part.attach({}) == 0);
}
