#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "io/model/model_folder.hpp"
#include "pipeline/import/model_folder_builder.hpp"

namespace fs = std::filesystem;
using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

/// tiny-sd15 made anew as "mine".
fs::path make_mine(const ImportTarget& target, Model& model) {
  model = io::read_model(test::models() / "tiny-sd15");
  model.name = "mine";
  model.files.clear();
  return make_model(model, target, [&](ModelFolderBuilder& draft) {
    for (auto& [name, part] : model.parts) {
      part.graph = draft.put(part.graph, "graphs/" + name + ".pt");
      for (fs::path& file : part.weights) file = draft.link(file);
    }
    for (auto& [name, facts] : model.tokenizers) draft.take_tokenizer(name, facts);
  });
}

ImportTarget target_of(const TemporaryFolder& folder) {
  ImportTarget target;
  target.output = (folder / "mine").string();
  return target;
}

}  // namespace

TEST_CASE("small files are copied and large ones linked, each once, and all are recorded") {
  const TemporaryFolder folder;
  Model model;
  CHECK(make_mine(target_of(folder), model) == folder / "mine");
  CHECK(folder.names() == std::vector<std::string>{"mine"});
  const Model made = io::read_model(folder / "mine");
  CHECK(made.parts.at("vae_decoder").weights == made.parts.at("vae_encoder").weights);
  CHECK(made.files.size() == 9);
  CHECK(fs::is_symlink(folder / "mine/weights/model.safetensors"));
  CHECK(fs::exists(folder / "mine/weights/2-diffusion_pytorch_model.safetensors"));
  CHECK(made.files.at("weights/model.safetensors").sha256.empty());
  CHECK(made.files.at("weights/model.safetensors").modified);
  CHECK_FALSE(fs::is_symlink(folder / "mine/graphs/denoiser.pt"));
  CHECK(made.files.at("graphs/denoiser.pt").sha256.size() == 64);
}

TEST_CASE("on request large files are copied, or their digests recorded") {
  const TemporaryFolder folder;
  Model model;
  ImportTarget target = target_of(folder);
  target.copy = true;
  make_mine(target, model);
  const Model copied = io::read_model(folder / "mine");
  CHECK_FALSE(fs::is_symlink(folder / "mine/weights/model.safetensors"));
  CHECK_FALSE(copied.files.at("weights/model.safetensors").modified);
  target.copy = false;
  target.verify = target.overwrite = true;
  make_mine(target, model);
  const Model linked = io::read_model(folder / "mine");
  CHECK(linked.files.at("weights/model.safetensors").sha256 == copied.files.at("weights/model.safetensors").sha256);
}

TEST_CASE("what fails, and a dry run, leave nothing behind") {
  const TemporaryFolder folder;
  Model model;
  ImportTarget target = target_of(folder);
  target.dry_run = true;
  make_mine(target, model);
  CHECK(folder.names().empty());
  check_fails(ErrorKind::input, {(folder / "mine/a.pt").string() + " is damaged"}, [&] {
    make_model(model, target_of(folder), [&](ModelFolderBuilder&) {
      throw Error(ErrorKind::input, (model.folder / "a.pt").string() + " is damaged");
    });
  });
  CHECK(folder.names().empty());
}

TEST_CASE("a name that cannot be one is refused, and so is a folder that is there or holds the model's own weights") {
  const TemporaryFolder folder;
  const auto nothing = [](ModelFolderBuilder&) {};
  for (const char* name : {"", "a/b", ".hidden"}) {
    CAPTURE(name);
    Model model;
    model.name = name;
    check_fails(ErrorKind::usage, {"cannot be a model's name. Give it one: name NAME"},
                [&] { make_model(model, target_of(folder), nothing); });
  }
  Model model;
  ImportTarget target = target_of(folder);
  make_mine(target, model);
  check_fails(ErrorKind::output, {target.output}, [&] { make_mine(target, model); });
  target.overwrite = true;
  target.sources = {target.output + "/graphs"};
  check_fails(ErrorKind::output, {"is what the new model is made of", "(overwrite)", "name NAME or output FOLDER"},
              [&] { make_mine(target, model); });
  CHECK(io::read_model(folder / "mine").name == "mine");
}
