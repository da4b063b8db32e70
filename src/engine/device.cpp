#include "engine/device.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/shortage.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

constexpr const char* cuda_library = "libtorch_cuda.so";

/// Opens libtorch's CUDA half from the folder its CPU half came from. Returns why not, if not.
std::optional<std::string> open_cuda() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<void*>(&at::set_num_threads), &info) || !info.dli_fname) return "libtorch was not found";
  const auto library = std::filesystem::path(info.dli_fname).parent_path() / cuda_library;
  std::error_code ignored;
  if (!std::filesystem::exists(library, ignored)) return core::sentence("{} is not there", library.string());
  setenv("CUDA_MODULE_LOADING", "LAZY", /*overwrite=*/0);
  if (!dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) return std::string(dlerror());
  if (!at::hasCUDA()) return "no CUDA device or driver on this machine";
  return std::nullopt;
}

at::Device choose_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  const std::optional<std::string> missing = open_cuda();
  if (!missing) return at::Device(at::kCUDA, 0);
  if (name == "auto") return at::kCPU;
  throw Error(ErrorKind::device,
              core::sentence("{device} cuda: {}. Install libtorch's CUDA part (scripts/setup.sh --cuda), or use "
                             "{device} cpu",
                             *missing));
}

at::ScalarType choose_dtype(const std::string& name, at::Device device) {
  if (name == "fp32") return at::kFloat;
  if (name == "bf16") return at::kBFloat16;
  if (name == "fp16") return at::kHalf;
  return device.is_cuda() ? at::kBFloat16 : at::kFloat;
}

/// How many threads live at once at most, beside this one, where `threads` compute: those of libtorch's own pool, those
/// that OpenMP keeps for each thread that has computed with others (the three that load parts, and the one that draws),
/// and those three.
int most_threads(int threads) {
  constexpr int loaders = 3;
  return (threads - 1) * (1 + 1 + loaders) + loaders;
}

}  // namespace

Placements choose_placements(const EngineOptions& options) {
  const at::Device device = choose_device(options.device);
  const int threads = options.threads > 0 ? options.threads : io::physical_cores();
  io::check_threads(most_threads(threads));
  at::set_num_threads(threads);
  at::globalContext().setFlushDenormal(true);
  const at::ScalarType dtype = choose_dtype(options.dtype, device);
  return {{device, dtype}, options.vae_dtype == "auto" ? dtype : choose_dtype(options.vae_dtype, device)};
}

std::string device_name(const Placement& placement) { return placement.device.is_cuda() ? "cuda" : "cpu"; }

std::string dtype_name(const Placement& placement) {
  if (placement.dtype == at::kBFloat16) return "bf16";
  if (placement.dtype == at::kHalf) return "fp16";
  return "fp32";
}

}  // namespace lapis::engine
