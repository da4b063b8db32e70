// Where networks run, and how, for a request that has no job to say it.
#pragma once

#include <cstdint>
#include <string>

namespace lapis::pipeline {

struct ComputeOptions {
  std::string tiling = "auto";  ///< of the VAE: auto, on or off
  std::string device = "auto";  ///< auto, cpu or cuda
  std::string dtype = "auto";   ///< auto, fp32, bf16 or fp16
  std::int64_t threads = 0;     ///< 0: one for each physical core
};

}  // namespace lapis::pipeline
