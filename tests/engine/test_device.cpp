#include <ATen/Parallel.h>
#include <catch2/catch.hpp>
#include <filesystem>

#include "engine/device.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

Placement chosen(const EngineOptions& options) { return choose_placements(options).of(PartKind::denoiser); }

}  // namespace

TEST_CASE("the CPU computes in fp32 unless told otherwise") {
  CHECK(dtype_name(chosen({"cpu", "auto", 1})) == "fp32");
  CHECK(dtype_name(chosen({"cpu", "bf16", 1})) == "bf16");
  CHECK(dtype_name(chosen({"cpu", "fp16", 1})) == "fp16");
  CHECK(device_name(chosen({"cpu", "auto", 1})) == "cpu");
  const Placements apart = choose_placements({"cpu", "bf16", 1, "fp32"});
  for (const PartKindRow& row : part_kinds) {
    const bool is_vae = row.kind == PartKind::vae_encoder || row.kind == PartKind::vae_decoder;
    CHECK(dtype_name(apart.of(row.kind)) == (is_vae ? "fp32" : "bf16"));
  }
}

TEST_CASE("threads are as many as asked for, and at least one where nothing is asked") {
  choose_placements({"cpu", "auto", 1});
  CHECK(at::get_num_threads() == 1);
  choose_placements({"cpu", "auto", 0});
  CHECK(at::get_num_threads() >= 1);
}

TEST_CASE("without a GPU, cuda is refused and auto takes the CPU") {
  if (std::filesystem::exists("/dev/nvidiactl")) return;
  try {
    choose_placements({"cuda", "auto", 1});
    FAIL("cuda was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::device);
    CHECK(std::string(error.what()).find("device cpu") != std::string::npos);
  }
  CHECK(device_name(chosen({"auto", "auto", 1})) == "cpu");
}
