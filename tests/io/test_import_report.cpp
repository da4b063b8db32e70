#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "io/report/import_report.hpp"

using namespace lapis::io;

TEST_CASE("an import's line says what each part was bound to") {
  const ImportReport report{"/models/a", "a",    "Stable Diffusion 1.x",
                            "sd15",      "sd15", {{"denoiser", "sd15-unet", "ldm-unet", "F16", {"a.safetensors"}}},
                            {"a note"},  0.25};
  const auto json = nlohmann::json::parse(import_line(report));
  CHECK(json.at("name") == "a");
  CHECK(json.at("parts").at("denoiser").at("naming") == "ldm-unet");
  CHECK(json.at("parts").at("denoiser").at("files").at(0) == "a.safetensors");
  CHECK(json.at("notes").at(0) == "a note");
  CHECK(json.at("seconds") == 0.25);
}
