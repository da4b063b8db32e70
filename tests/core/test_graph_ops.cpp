#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/checkpoint/graph_ops.hpp"

using namespace lapis::core;

TEST_CASE("operators that reach beyond tensors are refused, and those of networks are not") {
  for (const char* name : {"linear", "scaled_dot_product_attention", "group_norm", "to", "warn", "index", "dropout"}) {
    CHECK(operator_fault("aten", name).empty());
  }
  for (const char* name : {"Constant", "CallMethod", "If", "Loop", "NumToTensor", "RaiseException", "min"}) {
    CHECK(operator_fault("prim", name).empty());
  }
  CHECK(operator_fault("aten", "save") == "writes a file");
  CHECK(operator_fault("aten", "from_file") == "maps a file of this machine");
  CHECK(operator_fault("prim", "PythonOp") == "calls Python");
  CHECK(operator_fault("prim", "Print") == "writes to the terminal");
}

TEST_CASE("what no table knows is refused, but for aten") {
  CHECK(operator_fault("aten", "an_operator_of_tomorrow").empty());
  CHECK_FALSE(operator_fault("prim", "an_operator_of_tomorrow").empty());
  for (const char* space : {"quantized", "c10d", "profiler", "inductor", "cuda", "my_extension", "Aten", ""}) {
    CHECK(operator_fault(space, "linear") == "is of a namespace that lapis does not run");
  }
}

TEST_CASE("the table has no operator twice, and every row is refused by its own reason") {
  std::set<std::string_view> names;
  for (const RefusedOperator& row : refused_operators()) {
    CHECK(names.insert(row.name).second);
    const std::size_t colons = row.name.find("::");
    REQUIRE(colons != std::string_view::npos);
    CHECK(operator_fault(row.name.substr(0, colons), row.name.substr(colons + 2)) == row.why);
  }
  CHECK(names.size() == refused_operators().size());
}

TEST_CASE("words that need no namespace") {
  CHECK(word_fault("print") == "writes to the terminal");
  CHECK_FALSE(word_fault("fork").empty());
  for (const char* word : {"annotate", "getattr", "isinstance", "range", "torch", "prints"}) {
    CHECK(word_fault(word).empty());
  }
}

TEST_CASE("names of operators that reach files") {
  CHECK(reaches_files("save"));
  CHECK(reaches_files("from_file"));
  CHECK_FALSE(reaches_files("seed"));  // refused, but a module may well have an attribute of this name
  CHECK_FALSE(reaches_files("linear"));
}

TEST_CASE("a refusal is two lines: what, and what to do") {
  const lapis::Error error = refusal(lapis::ErrorKind::model, "a.pt", "its code calls aten::save, which writes a file");
  CHECK(error.problem() == "a.pt is refused: its code calls aten::save, which writes a file.");
  CHECK_THAT(error.advice(), Catch::StartsWith("No picture needs that: take the model from a source that you trust"));
}
