#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>

#include "../folder.hpp"
#include "io/file/sha256.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/weight_digests.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

constexpr const char* unet = "unet/diffusion_pytorch_model.safetensors";
constexpr const char* vae = "vae/diffusion_pytorch_model.safetensors";

/// A model whose denoiser's and VAE's weights are links to files elsewhere, of which no digest was taken.
Model linked_model(const TemporaryFolder& folder) {
  namespace fs = std::filesystem;
  fs::copy(lapis::test::models() / "tiny-sd15", folder / "model", fs::copy_options::recursive);
  const fs::path path = folder / "model/model.json";
  nlohmann::ordered_json document = nlohmann::ordered_json::parse(read_text(path));
  for (const std::string name : {unet, vae}) {
    const fs::path elsewhere = folder / name.substr(0, name.find('/'));
    fs::rename(folder / "model" / name, elsewhere);
    fs::create_symlink(elsewhere, folder / "model" / name);
    document["files"][name].erase("sha256");
    document["files"][name]["modified"] = last_change(elsewhere);
  }
  write_text(path, document.dump(2));
  return read_model(folder / "model");
}

}  // namespace

TEST_CASE("a model's hashes are the first ten digits of its weight files' digests") {
  const Model model = read_model(lapis::test::models() / "tiny-sd15");
  const WeightHashes hashes = weight_hashes(model);
  CHECK(hashes.model == sha256_file(model.folder / unet, ErrorKind::model).substr(0, 10));
  CHECK(hashes.vae == sha256_file(model.folder / vae, ErrorKind::model).substr(0, 10));
  CHECK(unknown_weight_digests(model).empty());
}

TEST_CASE("a VAE in the denoiser's file, and weights in several files, have no hash of their own") {
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  model.parts.at("vae_decoder").weights = model.parts.at("denoiser").weights;
  CHECK(weight_hashes(model).vae.empty());
  CHECK_FALSE(weight_hashes(model).model.empty());
  model.parts.at("denoiser").weights.push_back(model.parts.at("text_encoder").weights.front());
  CHECK(weight_hashes(model).model.empty());
}

TEST_CASE("digests of linked weights are unknown until they are recorded, and never guessed") {
  const TemporaryFolder folder;
  const Model model = linked_model(folder);
  CHECK(weight_hashes(model).model.empty());
  CHECK(unknown_weight_digests(model) == std::vector<std::string>{unet, vae});
  const std::string digest = file_digest(model, unet, {}).value();
  CHECK(digest == sha256_file(folder / "unet", ErrorKind::model));
  record_digests(model, {{unet, digest}});
  const Model again = read_model(model.folder);
  CHECK(weight_hashes(again).model == digest.substr(0, 10));
  CHECK(weight_hashes(again).vae.empty());
  CHECK(again.files.at(unet).modified == model.files.at(unet).modified);
  record_digests(again, {{unet, std::string(64, '0')}});
  CHECK(read_model(model.folder).files.at(unet).sha256 == digest);
}

TEST_CASE("a digest of other bytes than those that model.json speaks of is not recorded") {
  const TemporaryFolder folder;
  Model model = linked_model(folder);
  const std::string before = read_text(model.folder / "model.json");
  *model.files.at(unet).modified += 1;
  model.files.at(vae).size += 1;
  record_digests(model, {{unet, std::string(64, '0')}, {vae, std::string(64, '0')}});
  CHECK(read_text(model.folder / "model.json") == before);
}

TEST_CASE("a digest of a file that the model made anew has not is not recorded, and leaves its document readable") {
  const TemporaryFolder folder;
  Model model = linked_model(folder);
  const std::string digest = file_digest(model, unet, {}).value();
  model.files["weights/gone.safetensors"] = {"", 1, std::nullopt};
  record_digests(model, {{unet, digest}, {"weights/gone.safetensors", std::string(64, '0')}});
  const Model again = read_model(model.folder);
  CHECK(again.files.at(unet).sha256 == digest);
  CHECK_FALSE(again.files.contains("weights/gone.safetensors"));
}

TEST_CASE("taking a digest ends when it is told to") {
  const Model model = read_model(lapis::test::models() / "tiny-sd15");
  std::stop_source source;
  source.request_stop();
  CHECK_FALSE(file_digest(model, unet, source.get_token()).has_value());
  Model gone = model;
  gone.folder = "/nowhere";
  check_fails(ErrorKind::model, {"/nowhere/unet", "cannot be read"}, [&] { file_digest(gone, unet, {}); });
}
