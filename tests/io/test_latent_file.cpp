#include <catch2/catch.hpp>
#include <string>

#include "io/latent_file.hpp"
#include "io/safetensors.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;
using lapis::Latent;

namespace {

Latent small_latent() {
  Latent latent;
  latent.space = {"sd15", 4, 8, 0.18215, 0.25, "tiny-sd15"};
  latent.shape = {1, 4, 1, 2};
  latent.values = {0, 1, 2, 3, 4, 5, 6, -7.5F};
  latent.sigma = 0.5;
  return latent;
}

}  // namespace

TEST_CASE("a latent is written with its values and its passport") {
  const TemporaryFolder folder;
  const Latent latent = small_latent();
  write_latent(folder / "a.safetensors", latent, false);
  const SafetensorsFile file(folder / "a.safetensors", ErrorKind::input);
  REQUIRE(file.tensors().size() == 1);
  const TensorView* tensor = file.find("latent");
  REQUIRE(tensor != nullptr);
  CHECK(tensor->dtype == Dtype::f32);
  CHECK(tensor->shape == std::vector<std::int64_t>{1, 4, 1, 2});
  CHECK(as_text(tensor->data) == as_text(std::as_bytes(std::span(latent.values))));
  const auto& metadata = file.metadata();
  CHECK(metadata.at("space") == "sd15");
  CHECK(metadata.at("channels") == "4");
  CHECK(metadata.at("units") == "model");
  CHECK(metadata.at("lineage") == "tiny-sd15");
  CHECK(metadata.at("width") == "16");
  CHECK(metadata.at("height") == "8");
  CHECK(std::stod(metadata.at("scale")) == 0.18215);
  CHECK(std::stod(metadata.at("shift")) == 0.25);
  CHECK(std::stod(metadata.at("sigma")) == 0.5);
}

TEST_CASE("a latent does not replace a file unasked") {
  const TemporaryFolder folder;
  write_text(folder / "a.safetensors", "old");
  check_fails(ErrorKind::output, {"--overwrite"},
              [&] { write_latent(folder / "a.safetensors", small_latent(), false); });
  CHECK(read_text(folder / "a.safetensors") == "old");
  CHECK_NOTHROW(write_latent(folder / "a.safetensors", small_latent(), true));
}
