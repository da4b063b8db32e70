// Parts made of the files in tests/data.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "../folder.hpp"
#include "engine/part.hpp"
#include "lapis/error.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

inline std::filesystem::path data(const char* name) { return lapis::test::folder() / "data" / name; }

/// y = slope * x + inner.offset, with tensors slope [1] and inner.offset [1], bound from safetensors.
inline Part bound_part(const char* weights = "line.safetensors") {
  return {data("line.pt"), {data(weights)}, {{"x", "model", {"batch"}}}, {{"y", "model", {"batch"}}}};
}

/// The same, with the weights inside the graph.
inline Part plain_part() {
  return {data("line_plain.pt"), {}, {{"x", "model", {"batch"}}}, {{"y", "model", {"batch"}}}};
}

/// A network (sample, timestep, context) -> prediction that shows what it was given:
/// prediction = sample + timestep + mean(context), over [batch, 4, h, w].
inline Part echo_part() {
  return {data("echo.pt"),
          {},
          {{"sample", "model", {}}, {"timestep", "f32", {"batch"}}, {"context", "model", {}}},
          {{"prediction", "model", {}}}};
}

/// What a part is refused with when it is loaded; "" where it is not.
inline std::string failure(const Part& part) {
  try {
    const LoadedPart loaded(part, "line", {});
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

}  // namespace lapis::engine
