// Where to compute, and in which dtype.
#pragma once

#include "engine/placement.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// Sets threads and decides device and dtypes. "auto" takes CUDA where this libtorch and the machine have it, else the
/// CPU; its dtype is bf16 on CUDA and fp32 on a CPU, and that of the VAE the same. Must run before any other call into
/// libtorch: whether there is a GPU is asked once in a process, and the answer before libtorch's CUDA half is open
/// would be no for ever. Throws Error{device} when CUDA is asked for and is not to be had.
Placements choose_placements(const EngineOptions& options);

/// "cpu" or "cuda".
std::string device_name(const Placement& placement);

/// "fp32", "bf16" or "fp16".
std::string dtype_name(const Placement& placement);

}  // namespace lapis::engine
