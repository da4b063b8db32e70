#include <ATen/ops/tensor.h>
#include <catch2/catch.hpp>

#include "engine/part.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const at::Tensor line_input = at::tensor({1.0F, 2.0F});

}  // namespace

TEST_CASE("a graph without numbers runs on the weights beside it") {
  LoadedPart part(bound_part(), "line", {});
  const at::Tensor output = part.run({line_input}).front();  // slope 3, offset 0.5
  CHECK(output.equal(at::tensor({3.5F, 6.5F})));
  CHECK(part.seconds() > 0);
}

TEST_CASE("weights are converted to the dtype a part runs in") {
  LoadedPart part(bound_part("line_half.safetensors"), "line", {});
  CHECK(part.run({line_input}).front().equal(at::tensor({3.5F, 6.5F})));
  LoadedPart low(bound_part(), "line", {at::kCPU, at::kBFloat16});
  CHECK(low.run({line_input.to(at::kBFloat16)}).front().scalar_type() == at::kBFloat16);
}

TEST_CASE("a plain graph runs on the weights inside it") {
  LoadedPart part(plain_part(), "line", {});
  CHECK(part.run({line_input}).front().equal(at::tensor({3.5F, 6.5F})));
  LoadedPart low(plain_part(), "line", {at::kCPU, at::kBFloat16});
  CHECK(low.run({line_input.to(at::kBFloat16)}).front().scalar_type() == at::kBFloat16);
}

TEST_CASE("a parameter that finds no tensor, or another shape, is refused by name") {
  CHECK(failure(bound_part("line_missing.safetensors")).find("inner.offset") != std::string::npos);
  const std::string shape = failure(bound_part("line_shape.safetensors"));
  CHECK(shape.find("slope") != std::string::npos);
  CHECK(shape.find("[2]") != std::string::npos);
  CHECK(shape.find("[1]") != std::string::npos);
  CHECK(failure(bound_part("line_integer.safetensors")).find("I64") != std::string::npos);
  CHECK(failure(bound_part()).empty());
}

TEST_CASE("a file that is no graph is refused") {
  Part part = plain_part();
  part.graph = data("line.safetensors");
  CHECK_FALSE(failure(part).empty());
  part.graph = data("nothing.pt");
  CHECK_FALSE(failure(part).empty());
}

TEST_CASE("a graph that fails as it runs is the model's fault, and says which") {
  LoadedPart part(plain_part(), "line", {});
  try {
    part.run({});
    FAIL("a graph without its input ran");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    CHECK_THAT(error.problem(), Catch::Contains("line_plain.pt fails as line: "));
    CHECK_THAT(error.problem(), !Catch::Contains("\n"));
  }
  CHECK_THROWS_AS(part.call({}), std::exception);
  CHECK_THROWS_WITH(part.call({}), !Catch::Contains("fails as line"));
}

TEST_CASE("fewer outputs than declared are refused") {
  Part declared = plain_part();
  declared.outputs.push_back({"z", "model", {"batch"}});
  LoadedPart part(declared, "line", {});
  CHECK_THROWS_AS(part.run({line_input}), Error);
}
