#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "../io/support.hpp"
#include "checkpoints.hpp"
#include "pipeline/import/import_plan.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;

TEST_CASE("a diffusers folder becomes a model like the known one of its architecture") {
  ModelCatalog catalog;
  ImportSources sources;
  sources.main = {(test::models() / "tiny-sd15").string()};
  const ImportPlan plan(sources, catalog);
  CHECK(plan.title() == "the architecture of tiny-sd15");
  CHECK(plan.model().family == "sd15");
  CHECK(plan.model().space.lineage == "tiny-sd15");
  CHECK(plan.model().parts.empty());
  std::vector<std::string> parts;
  for (const ImportedPart& part : plan.parts()) parts.push_back(part.part);
  CHECK(parts == std::vector<std::string>{"denoiser", "text_encoder", "vae_decoder", "vae_encoder"});
  CHECK(plan.model().tokenizers.at("tokenizer").vocabulary == test::models() / "tiny-sd15/tokenizer/vocab.json");
}

TEST_CASE("files are put together, and what a field names is there for its part alone") {
  ModelCatalog catalog;
  ImportSources sources;
  sources.main = {test::model_file("tiny-sd15", test::denoiser_file)};
  sources.vae = test::model_file("tiny-sd15", test::vae_file);
  sources.clip_l = test::model_file("tiny-sd15", test::text_encoder_file);
  CHECK(ImportPlan(sources, catalog).parts().size() == 4);
  std::swap(sources.vae, sources.clip_l);
  CHECK_THROWS_AS(ImportPlan(sources, catalog), Error);
}

TEST_CASE("tensors that nothing needs are noted") {
  const io::test::TemporaryFolder folder;
  ModelCatalog catalog;
  ImportSources sources;
  sources.main = {
      test::write_changed(
          folder / "unet.safetensors", test::model_file("tiny-sd15", test::denoiser_file),
          [](io::Safetensors& content) { content.tensors["model_ema.decay"] = content.tensors["conv_out.bias"]; }),
      test::model_file("tiny-sd15", test::vae_file), test::model_file("tiny-sd15", test::text_encoder_file)};
  const ImportPlan plan(sources, catalog);
  REQUIRE(plan.notes().size() == 1);
  CHECK(plan.notes().front() == sources.main.front() + ": 1 tensor that nothing here needs: model_ema.decay");
}

TEST_CASE("the numbers of a VAE decide whether it belongs to the denoiser, whatever its shapes") {
  ModelCatalog catalog;
  ImportSources sources;
  sources.main = {(test::models() / "tiny-sd15").string()};
  sources.vae = test::model_file("tiny-sdxl", test::vae_file);
  check_fails(ErrorKind::incompatible, {"the VAE of model tiny-sdxl by its sha256, of space sdxl:tiny-sdxl"},
              [&] { ImportPlan(sources, catalog); });
  sources.vae = (test::models() / "tiny-sdxl/vae").string();
  check_fails(ErrorKind::incompatible, {"says of itself 4 ch, 1/8, scale 0.13025"},
              [&] { ImportPlan(sources, catalog); });
}

TEST_CASE("each part but the denoiser has a field that names its checkpoint, by the architecture") {
  CHECK(field_of("denoiser", core::Architecture::flux).empty());
  CHECK(field_of("vae_encoder", core::Architecture::sd15) == "vae");
  CHECK(field_of("text_encoder_2", core::Architecture::flux) == "t5xxl");
  CHECK(field_of("text_encoder_2", core::Architecture::sdxl) == "clip_g");
}
