#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "../folder.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_writer.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// A model folder that is a link to every folder of another one, with a model.json of its own.
Model rewritten(const TemporaryFolder& place, const Model& model) {
  const std::string document = model_document(model);
  std::filesystem::copy(model.folder, place.path(),
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  write_text(place.path() / "model.json", document);
  return read_model(place.path());
}

}  // namespace

TEST_CASE("a model that was written reads as it was") {
  for (const char* name : {"tiny-sd15", "tiny-sdxl", "tiny-flux"}) {
    INFO(name);
    const TemporaryFolder place;
    const Model model = read_model(lapis::test::models() / name);
    const Model again = rewritten(place, model);
    CHECK(model_document(again) == model_document(model));
    CHECK(again.space == model.space);
    CHECK(again.sampling == model.sampling);
    CHECK(again.parts.size() == model.parts.size());
    CHECK(again.files.size() == model.files.size());
  }
}

TEST_CASE("naming, prefix and digest of a part come back") {
  const TemporaryFolder place;
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  Part& part = model.parts.at("denoiser");
  part.key_scheme = "ldm-unet";
  part.prefix = "model.diffusion_model.";
  part.digest = std::string(64, 'a');
  const Part again = rewritten(place, model).parts.at("denoiser");
  CHECK(again.key_scheme == part.key_scheme);
  CHECK(again.prefix == part.prefix);
  CHECK(again.digest == part.digest);
}

TEST_CASE("what a model was taught comes back") {
  const TemporaryFolder place;
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  model.taught.reset();
  CHECK(model_document(model).find("taught") == std::string::npos);
  model.taught = {"lakes & \"shapes\"", {"red", "a", "caf\u00E9"}};
  CHECK(rewritten(place, model).taught == model.taught);
}

TEST_CASE("a linked file may lie elsewhere, but must be what it was") {
  const TemporaryFolder place;
  const TemporaryFolder other;
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  const std::string name = "unet/diffusion_pytorch_model.safetensors";
  const std::filesystem::path elsewhere = other / "weights.safetensors";
  std::filesystem::copy_file(model.folder / name, elsewhere);
  std::filesystem::copy(model.folder, place.path(),
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(place.path() / name);
  std::filesystem::create_symlink(elsewhere, place.path() / name);
  CHECK_THROWS_WITH(read_model(place.path()), Catch::Contains("leads out of the model's folder"));

  FileFacts& facts = model.files.at(name);
  facts.modified = last_change(elsewhere);
  const std::string digest = std::exchange(facts.sha256, "");
  write_text(place.path() / "model.json", model_document(model));
  const Model linked = read_model(place.path());
  CHECK(linked.parts.at("denoiser").weights.front() == elsewhere);
  CHECK_NOTHROW(verify_files(linked, /*linked_too=*/true));

  facts.sha256 = std::string(64, '0');
  write_text(place.path() / "model.json", model_document(model));
  CHECK_NOTHROW(verify_files(read_model(place.path())));
  CHECK_THROWS_WITH(verify_files(read_model(place.path()), true), Catch::Contains("altered"));
  facts.sha256 = digest;
  write_text(place.path() / "model.json", model_document(model));
  CHECK_NOTHROW(verify_files(read_model(place.path()), true));

  std::filesystem::last_write_time(elsewhere, std::filesystem::file_time_type::clock::now());
  CHECK_THROWS_WITH(read_model(place.path()), Catch::Contains("changed since it was imported"));
}
