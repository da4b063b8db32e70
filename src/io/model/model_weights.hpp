// What the weights of a model are, from the headers of their files.
#pragma once

#include <cstdint>
#include <string>

#include "lapis/model.hpp"

namespace lapis::io {

/// What a model's weights take.
struct WeightFacts {
  std::string dtypes;       ///< "F16", or "F16 and F32" where there are several; "in the graphs" where no file has any
  std::uint64_t bytes = 0;  ///< of the tensors that the graphs need, each once
  std::uint64_t widened = 0;  ///< memory that those of less than 32 bits take as fp32
};

/// Reads graphs and headers, and no numbers. What else lies in the weight files does not count. Throws Error{model} for
/// a damaged file.
WeightFacts weight_facts(const Model& model);

}  // namespace lapis::io
