#include "engine/probe.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sin.h>
#include <c10/core/InferenceMode.h>
#include <exception>

#include "engine/failure.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

at::Tensor made_up(const ProbeInput& input, Placement placement) {
  if (input.dtype == "i64") {
    if (input.value) return at::full(input.shape, static_cast<std::int64_t>(*input.value), at::kLong);
    return at::arange(input.shape.back(), at::kLong).expand(input.shape).contiguous();
  }
  const at::ScalarType type = input.dtype == "f32" ? at::kFloat : placement.dtype;
  if (input.value) return at::full(input.shape, *input.value, at::kFloat).to(type);
  std::int64_t count = 1;
  for (const std::int64_t size : input.shape) count *= size;
  return at::sin(at::arange(count, at::kFloat)).reshape(input.shape).to(type);
}

}  // namespace

ProbeResult probe(LoadedPart& part, const std::vector<ProbeInput>& inputs) {
  c10::InferenceMode inference;
  ProbeResult result;
  result.input_names = part.input_names();
  std::vector<at::Tensor> tensors;
  for (const ProbeInput& input : inputs) {
    tensors.push_back(made_up(input, part.placement()).to(part.placement().device));
  }
  try {
    for (const at::Tensor& output : part.call(tensors)) {
      const bool floating = output.is_floating_point();
      const bool finite = !floating || at::isfinite(output).all().item<bool>();
      result.outputs.push_back({output.sizes().vec(), floating, finite});
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (is_shortage()) throw;
    result.fault = gist_of(error);
  }
  return result;
}

}  // namespace lapis::engine
