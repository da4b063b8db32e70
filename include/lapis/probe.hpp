// A probe, one run on made-up numbers, of a part that belongs to no model yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lapis {

/// One input of a part that is probed.
struct ProbeInput {
  std::string dtype;  ///< as of a port: "model", "f32" or "i64"
  std::vector<std::int64_t> shape;
  std::optional<double> value;  ///< of all numbers; none: a wave in [-1, 1], and for "i64" 0, 1, 2, ... along each row
};

/// One tensor that a part gave back.
struct ProbeOutput {
  std::vector<std::int64_t> shape;
  bool floating = true;
  bool finite = true;
};

/// How a probe went.
struct ProbeResult {
  std::vector<ProbeOutput> outputs;
  std::string fault;        ///< libtorch's words where the part did not run through; then there are no outputs
  std::string input_names;  ///< as the graph itself calls its inputs: "sample, timestep, encoder_hidden_states"
};

}  // namespace lapis
