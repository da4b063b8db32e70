#include <catch2/catch.hpp>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "checkpoints.hpp"
#include "core/model/model_check.hpp"
#include "io/model/model_folder.hpp"
#include "pipeline/import/import_model.hpp"

namespace fs = std::filesystem;
using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

ImportAsked asked_for(const fs::path& output) {
  ImportAsked asked;
  asked.sources.main = {(test::models() / "tiny-sd15").string()};
  asked.target.output = output.string();
  return asked;
}

}  // namespace

TEST_CASE("a checkpoint becomes a folder that is a sound model, and the report says what it is") {
  const TemporaryFolder folder;
  ModelCatalog catalog;
  ImportAsked asked = asked_for(folder / "mine");
  asked.lineage = "own";
  asked.licence = "MIT";
  const io::ImportReport report = import_model(asked, catalog);
  CHECK(report.path == (folder / "mine").string());
  CHECK(report.name == "tiny-sd15");
  CHECK(report.space == "sd15:own");
  CHECK(report.parts.size() == 4);
  const Model model = io::read_model(folder / "mine");
  CHECK_NOTHROW(core::check_model(model));
  CHECK(model.origin == "imported from tiny-sd15");
  CHECK(model.licence == "MIT");
  CHECK(model.parts.at("vae_decoder").digest.size() == 64);
  check_fails(ErrorKind::output, {(folder / "mine").string()}, [&] { import_model(asked, catalog); });
}

TEST_CASE("what does not go together is refused before anything is read") {
  ImportAsked asked = asked_for("-");
  check_fails(ErrorKind::usage, {"a model is a folder"}, [&] { sorted_import(asked); });
  asked = {};
  asked.graphs.graphs = {"a.pt"};
  asked.graphs.family = "sd15";
  asked.graphs.like = "tiny-sd15";
  check_fails(ErrorKind::usage, {"Give one of the two"}, [&] { sorted_import(asked); });
}

TEST_CASE("a dry run says the same, and leaves nothing") {
  const TemporaryFolder folder;
  ModelCatalog catalog;
  ImportAsked asked = asked_for(folder / "mine");
  asked.target.dry_run = true;
  asked.target.name = "another";
  CHECK(import_model(asked, catalog).name == "another");
  CHECK(folder.names().empty());
}

TEST_CASE("numbers that are not finite are refused, with their tensor, and no folder is made") {
  const TemporaryFolder folder;
  ModelCatalog catalog;
  ImportAsked asked = asked_for(folder / "mine");
  const std::vector<std::byte> nan(8, std::byte{0x7f});  // four of them, in half precision
  asked.sources.main = {
      test::write_changed(folder / "unet.safetensors", test::model_file("tiny-sd15", test::denoiser_file),
                          [&](io::Safetensors& content) { content.tensors.at("conv_out.bias").data = nan; })};
  asked.sources.vae = test::model_file("tiny-sd15", test::vae_file);
  asked.sources.clip_l = test::model_file("tiny-sd15", test::text_encoder_file);
  check_fails(ErrorKind::input,
              {"part denoiser has 1 tensor with numbers that are not finite: tensor conv_out.bias is NaN"},
              [&] { import_model(asked, catalog); });
  CHECK(folder.names() == std::vector<std::string>{"unet.safetensors"});
}

TEST_CASE("graphs have no name for a model, and are asked for one before an engine is opened") {
  ModelCatalog catalog;
  ImportAsked asked;
  asked.graphs = test::graph_sources(test::needed_parts);
  check_fails(ErrorKind::usage, {"files have no name for a model. Give it one: name NAME"},
              [&] { import_model(asked, catalog); });
}

TEST_CASE("words behind a graph's file are graphs too, but for what is plainly a checkpoint") {
  ImportAsked asked;
  asked.graphs.graphs = {"denoiser.pt"};
  asked.sources.main = {"text_encoder.pt", "decoder=vae_decoder.pt"};
  const ImportAsked sorted = sorted_import(asked);
  CHECK(sorted.graphs.graphs == std::vector<std::string>{"denoiser.pt", "text_encoder.pt", "decoder=vae_decoder.pt"});
  CHECK(sorted.sources.main.empty());
  asked.sources.main.emplace_back("unet.safetensors");
  check_fails(ErrorKind::usage, {"does not go with a checkpoint"}, [&] { sorted_import(asked); });
  asked.sources = {};
  asked.sources.vae = "vae.safetensors";
  check_fails(ErrorKind::usage, {"torchscript PART=FILE"}, [&] { sorted_import(asked); });
}

TEST_CASE("of a checkpoint nothing is taken that speaks of graphs, and of nothing no model is made") {
  ImportAsked asked;
  check_fails(ErrorKind::usage, {"there is nothing to import"}, [&] { sorted_import(asked); });
  asked.sources.main = {"unet.safetensors"};
  CHECK(sorted_import(asked).sources.main.size() == 1);
  asked.compute = {"threads"};
  check_fails(ErrorKind::usage, {"threads is for torchscript"}, [&] { sorted_import(asked); });
  asked.graphs.family = "sd15";
  check_fails(ErrorKind::usage, {"family and like are for torchscript"}, [&] { sorted_import(asked); });
}

TEST_CASE("words that are names are checked whether a model is made or one stays") {
  ImportAsked asked;
  asked.sources.main = {"unet.safetensors"};
  asked.sources.sampling.prediction = "w";
  check_fails(ErrorKind::usage, {"prediction is \"w\"", "epsilon"}, [&] { sorted_import(asked); });
  asked.sources.sampling = {.prediction = "v", .zero_snr = "maybe"};
  check_fails(ErrorKind::usage, {"zero_snr is \"maybe\"", "off"}, [&] { sorted_import(asked); });
  asked = {};
  asked.graphs = {.graphs = {"denoiser.pt"}, .family = "sd16", .like = ""};
  check_fails(ErrorKind::usage, {"family is \"sd16\"", "sd15"}, [&] { sorted_import(asked); });
}

TEST_CASE("a model that is there stays where that is asked for") {
  const TemporaryFolder folder;
  ImportAsked asked = asked_for(folder / "mine");
  asked.target.skip_existing = true;
  CHECK_FALSE(model_that_stays(asked));
  fs::create_directories(folder / "mine");
  io::test::write_text((folder / "mine" / "model.json").string(), "{}");
  CHECK(model_that_stays(asked) == fs::canonical(folder / "mine"));
  asked.target.skip_existing = false;
  CHECK_FALSE(model_that_stays(asked));
}
