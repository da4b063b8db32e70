#include <catch2/catch.hpp>

#include "lapis/error.hpp"
#include "pipeline/engine_options.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("an engine is made for what a job says of its machine") {
  ResolvedJob job;
  job.device = "cpu";
  job.dtype = "bf16";
  job.threads = 3;
  CHECK(engine_options(job).vae_dtype == "auto");
  job.vae_dtype = "fp32";
  const EngineOptions options = engine_options(job);
  CHECK(options.device == "cpu");
  CHECK(options.dtype == "bf16");
  CHECK(options.vae_dtype == "fp32");
  CHECK(options.threads == 3);
}

TEST_CASE("a request without a job names devices, dtypes, tiling and threads that there are") {
  const auto with = [](std::string ComputeOptions::*member, const std::string& value) {
    ComputeOptions options;
    options.*member = value;
    return engine_options(options);
  };
  CHECK(with(&ComputeOptions::device, "cpu").device == "cpu");
  CHECK(with(&ComputeOptions::dtype, "bf16").dtype == "bf16");
  CHECK_THROWS_WITH(with(&ComputeOptions::device, "gpu"),
                    Catch::Contains("device is \"gpu\"; expected one of \"auto\", \"cpu\""));
  CHECK_THROWS_WITH(with(&ComputeOptions::dtype, "f16"), Catch::Contains("vae_dtype is \"f16\""));
  CHECK_THROWS_WITH(with(&ComputeOptions::tiling, "yes"), Catch::Contains("vae_tiling is \"yes\""));
  ComputeOptions options;
  options.threads = -1;
  CHECK_THROWS_WITH(engine_options(options), Catch::Contains("threads is -1"));
}
