#include <ATen/core/class_type.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/frontend/sugared_value.h>

#include "engine/graph_scan.hpp"
#include "engine/part.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

Part net_part() { return {"net.pt", {}, {{"x", "model", {"batch"}}}, {{"y", "model", {"batch"}}}}; }

/// A module with one attribute, whose compilation unit has the functions of `source`.
c10::intrusive_ptr<c10::ivalue::Object> module_of(const std::string& source,
                                                  const at::Tensor& weight = at::zeros({2})) {
  const auto unit = std::make_shared<torch::jit::CompilationUnit>();
  const auto type = c10::ClassType::create(c10::QualifiedName("__torch__.Net"), unit, true);
  type->addAttribute("weight", c10::TensorType::get());
  unit->register_type(type);
  const torch::jit::SimpleSelf self(type);
  unit->define(type->name(), "def forward(self, x):\n  return x\n", torch::jit::nativeResolver(), &self);
  if (!source.empty()) unit->define(std::nullopt, source, torch::jit::nativeResolver(), nullptr);
  auto module = c10::ivalue::Object::create(c10::StrongTypePtr(unit, type), 1);
  module->setSlot(0, weight);
  return module;
}

std::string fault_of(const std::string& source) {
  try {
    scan_graph(module_of(source), net_part());
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

std::string failure(const char* file) {
  Part part = plain_part();
  part.graph = data(file);
  return engine::failure(part);
}

}  // namespace

TEST_CASE("operators of networks pass, in every block") {
  CHECK(fault_of("def f(x):\n  while bool(x.sum() > 1):\n    if x.dim() == 2:\n      x = torch.relu(x * 2) / 3\n"
                 "    else:\n      x = x.float() + 1\n  return x\n")
            .empty());
}

TEST_CASE("operators that reach beyond tensors are refused wherever they stand") {
  const std::string saves = "net.pt is refused: it calls aten::save, which writes a file";
  CHECK_THAT(fault_of("def f(x):\n  torch.save(x, \"a\")\n  return x\n"), Catch::StartsWith(saves));
  CHECK_THAT(fault_of("def f(x):\n  t = torch\n  t.save(x, \"a\")\n  return x\n"), Catch::StartsWith(saves));
  CHECK_THAT(fault_of("def f(x):\n  if bool(x.sum() > 1):\n    while True:\n      torch.save(x, \"a\")\n  return x\n"),
             Catch::StartsWith(saves));
  CHECK_THAT(fault_of("def f(x):\n  return x\ndef unused(x):\n  torch.save(x, \"a\")\n  return x\n"),
             Catch::StartsWith(saves));
  CHECK_THAT(fault_of("def f(x):\n  return torch.from_file(\"/etc/passwd\", False, 4)\n"),
             Catch::Contains("aten::from_file, which maps a file"));
  CHECK_THAT(fault_of("def f(x):\n  print(x)\n  return x\n"), Catch::Contains("prim::Print"));
  CHECK_THAT(fault_of("def f(x):\n  return x.set_(x)\n"), Catch::Contains("aten::set_"));
}

TEST_CASE("a tensor must lie within its own numbers") {
  const at::Tensor numbers = at::zeros({8});
  CHECK_NOTHROW(scan_graph(module_of("", numbers.view({2, 4}).t()), net_part()));
  CHECK_NOTHROW(scan_graph(module_of("", at::zeros({1}).expand({1000, 1000})), net_part()));
  CHECK_NOTHROW(scan_graph(module_of("", at::zeros({0, 4})), net_part()));
  using Sizes = std::vector<std::int64_t>;
  for (const auto& [offset, sizes, strides] :
       {std::tuple{1, Sizes{8}, Sizes{1}}, {0, Sizes{2, 5}, Sizes{4, 1}}, {0, Sizes{3}, Sizes{1L << 62}}}) {
    at::Tensor outside = at::zeros({0});
    c10::TensorImpl* const hidden = outside.unsafeGetTensorImpl();
    hidden->set_storage_keep_dtype(numbers.storage());
    hidden->set_storage_offset(offset);
    hidden->set_sizes_and_strides(sizes, strides);
    CHECK_THROWS_AS(scan_graph(module_of("", outside), net_part()), Error);
  }
}

TEST_CASE("a graph must take as many inputs as its part has") {
  Part more = net_part();
  more.inputs.push_back({"timestep", "f32", {"batch"}});
  try {
    scan_graph(module_of(""), more);
    FAIL("it passed");
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains("net.pt takes 1 inputs (x); the part is given 2 (x, timestep)"));
  }
  Part none = net_part();
  none.inputs.clear();
  CHECK_THROWS_AS(scan_graph(module_of(""), none), Error);
}

TEST_CASE("files that would write, map or run are refused, and nothing has happened") {
  std::filesystem::remove("written_by_a_graph");
  CHECK_THAT(failure("hostile_save.pt"), Catch::Contains("aten::save, which writes a file"));
  CHECK_THAT(failure("hostile_save_alias.pt"), Catch::Contains("names torch without saying"));
  CHECK_THAT(failure("hostile_save_on_load.pt"), Catch::Contains("__setstate__"));
  CHECK_THAT(failure("hostile_from_file.pt"), Catch::Contains("aten::from_file, which maps a file"));
  CHECK_THAT(failure("hostile_storage.pt"), Catch::Contains("claims 200 numbers"));
  CHECK(failure("line_plain.pt").empty());
  CHECK_FALSE(std::filesystem::exists("written_by_a_graph"));
}
