#include <ATen/ops/tensor.h>
#include <catch2/catch.hpp>

#include "engine/weights.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const std::vector<core::TensorShape> parameters = {{"slope", {1}}, {"inner.offset", {1}}};

}  // namespace

TEST_CASE("tensors of the wanted dtype are views of the mapping, others are copies") {
  const Weights weights(bound_part(), "line");
  const std::vector<at::Tensor> first = weights.bound(parameters, {});
  const std::vector<at::Tensor> second = weights.bound(parameters, {});
  CHECK(first[0].equal(at::tensor({3.0F})));
  CHECK(first[0].data_ptr() == second[0].data_ptr());
  CHECK(weights.bound(parameters, {at::kCPU, at::kHalf})[0].data_ptr() !=
        weights.bound(parameters, {at::kCPU, at::kHalf})[0].data_ptr());
}

TEST_CASE("a parameter that finds no tensor is refused with the name that was looked for") {
  Part part = bound_part();
  part.prefix = "model.";
  const Weights weights(part, "line");
  CHECK_THROWS_WITH(weights.bound(parameters, {}), Catch::Contains("model.slope"));
}
