// What somebody asks of any kind of request, and the seed where nobody asks for one.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>

#include "lapis/job.hpp"

namespace lapis::pipeline {

/// What is said of a job, and of which of its fields something is said at all.
struct AskedJob {
  Job job;
  std::set<std::string> named;  ///< keys of the fields that it says something of
};

/// Where networks run, and how, for a request that has no job to say it.
struct ComputeOptions {
  std::string tiling = "auto";       ///< of the VAE: auto, on or off
  std::string device = "auto";       ///< auto, cpu or cuda
  std::string dtype = "auto";        ///< auto, fp32, bf16 or fp16
  std::int64_t threads = 0;          ///< 0: one for each physical core
  std::set<std::string> named = {};  ///< keys of those that something is said of
};

/// A number that nobody can foresee: the seed of a job that names none.
inline std::uint64_t random_number() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace lapis::pipeline
