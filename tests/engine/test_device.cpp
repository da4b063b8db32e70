#include <ATen/Parallel.h>
#include <catch2/catch.hpp>
#include <filesystem>

#include "engine/device.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::engine;

TEST_CASE("the CPU computes in fp32 unless told otherwise") {
  CHECK(dtype_name(choose_placement({"cpu", "auto", 1})) == "fp32");
  CHECK(dtype_name(choose_placement({"cpu", "bf16", 1})) == "bf16");
  CHECK(dtype_name(choose_placement({"cpu", "fp16", 1})) == "fp16");
  CHECK(device_name(choose_placement({"cpu", "auto", 1})) == "cpu");
}

TEST_CASE("threads are as many as asked for, and at least one where nothing is asked") {
  choose_placement({"cpu", "auto", 1});
  CHECK(at::get_num_threads() == 1);
  choose_placement({"cpu", "auto", 0});
  CHECK(at::get_num_threads() >= 1);
}

TEST_CASE("without a GPU, cuda is refused and auto takes the CPU") {
  if (std::filesystem::exists("/dev/nvidiactl")) return;
  try {
    choose_placement({"cuda", "auto", 1});
    FAIL("cuda was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::device);
    CHECK(std::string(error.what()).find("--device cpu") != std::string::npos);
  }
  CHECK(device_name(choose_placement({"auto", "auto", 1})) == "cpu");
}
