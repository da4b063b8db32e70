#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "io/report/matrix_report.hpp"
#include "lapis/version.hpp"
#include "matrices.hpp"

using namespace lapis;
using Json = nlohmann::json;

TEST_CASE("the report has every latent and every cell, row by row") {
  const Json json = Json::parse(io::matrix_report(lapis::test::sample_matrix()));
  CHECK(json.at("version") == version);
  CHECK(json.at("command") == "lapis matrix a.safetensors two");
  CHECK(json.at("latents").at(0) == Json::parse(R"({"latent": "a.safetensors", "rendered": false, "model": "one",
    "space": "sd15:mine", "channels": 4, "size": [32, 32], "vae_sha256": "cd34"})"));
  CHECK(json.at("latents").at(1).at("rendered") == true);
  CHECK(json.at("latents").at(1).at("space") == "flux");
  REQUIRE(json.at("cells").size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const Json& cell = json.at("cells").at(i);
    CHECK(cell.at("row") == i / 2);
    CHECK(cell.at("column") == i % 2);
    CHECK(cell.at("right") == (i == 0 || i == 3));
  }
}

TEST_CASE("a cell has its numbers, in few digits, or says why there are none") {
  const core::Matrix matrix = lapis::test::sample_matrix();
  const Json cells = Json::parse(io::matrix_report(matrix)).at("cells");
  CHECK(cells.at(0).at("forced").is_null());
  CHECK(cells.at(0).at("converted").is_null());
  CHECK(cells.at(0).at("refusal").is_null());
  CHECK(cells.at(0).at("route").is_null());
  CHECK(cells.at(1).at("forced").at("psnr").get<double>() == Approx(matrix.cell(0, 1).forced->psnr).margin(0.0051));
  CHECK(cells.at(1).at("forced").at("ssim").get<double>() == Approx(*matrix.cell(0, 1).forced->ssim).margin(0.000051));
  CHECK(cells.at(1).at("forced").dump().size() < 40);
  CHECK(cells.at(1).at("converted").at("psnr") == "infinite");
  CHECK(cells.at(1).at("decoder") == "two");
  CHECK(cells.at(2).at("forced").is_null());
  CHECK(cells.at(2).at("refusal") == "cannot be decoded: 16 channels into a decoder of 4");
  CHECK(cells.at(2).at("converted").is_object());
  CHECK(cells.at(2).at("route") == "re-encode, compensated");
}

TEST_CASE("what the pictures are too small for is null, and so are prompt and seed of files") {
  core::Matrix matrix = lapis::test::sample_matrix("a.safetensors", 8);
  const Json json = Json::parse(io::matrix_report(matrix));
  CHECK(json.at("cells").at(1).at("forced").at("ssim").is_null());
  CHECK(json.at("prompt").is_null());
  CHECK(json.at("seed").is_null());
  matrix.prompt = "a house";
  matrix.seed = 7;
  const Json hints = Json::parse(io::matrix_report(matrix));
  CHECK(hints.at("prompt") == "a house");
  CHECK(hints.at("seed") == 7);
}
