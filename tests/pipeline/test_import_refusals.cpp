#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "checkpoints.hpp"
#include "pipeline/import/import_plan.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

/// What is refused of these sources, which lie in the folder of tiny-sd15 unless `change` says otherwise.
std::function<void()> planned(const std::function<void(ImportSources&)>& change) {
  return [change] {
    ModelCatalog catalog;
    ImportSources sources;
    sources.main = {(test::models() / "tiny-sd15").string()};
    change(sources);
    const ImportPlan plan(sources, catalog);
  };
}

}  // namespace

TEST_CASE("what is whole is refused by none of these") {
  CHECK_NOTHROW(planned([](ImportSources&) {})());
}

TEST_CASE("parts that are lacking are named, each with the field that would name its file") {
  const auto denoiser_alone =
      planned([](ImportSources& sources) { sources.main = {test::model_file("tiny-sd15", test::denoiser_file)}; });
  check_fails(ErrorKind::usage, {"this is the architecture of tiny-sd15, and it lacks text_encoder (", "vae FILE)"},
              denoiser_alone);
  CHECK(io::test::error_of(denoiser_alone)->fields() == std::vector<std::string>{"clip_l", "vae"});
}

TEST_CASE("a checkpoint that lacks a tensor is nearly one, and it is said which") {
  const TemporaryFolder folder;
  const std::string file =
      test::write_changed(folder / "unet.safetensors", test::model_file("tiny-sd15", test::denoiser_file),
                          [](io::Safetensors& content) { content.tensors.erase("conv_in.bias"); });
  check_fails(ErrorKind::input, {file + " is nearly ", ", but 1 of its ", " is missing: conv_in.bias."},
              planned([&](ImportSources& sources) { sources.main = {file}; }));
  const std::string text_encoder =
      test::write_changed(folder / "clip.safetensors", test::model_file("tiny-sd15", test::text_encoder_file),
                          [](io::Safetensors& content) { content.tensors.erase(content.tensors.begin()); });
  check_fails(ErrorKind::input, {text_encoder + " is nearly ", "take another export of it"},
              planned([&](ImportSources& sources) { sources.clip_l = text_encoder; }));
}

TEST_CASE("without a denoiser it is said what is there instead") {
  const TemporaryFolder folder;
  check_fails(
      ErrorKind::input, {"holds no denoiser", "Name the checkpoint that holds the UNet"},
      planned([](ImportSources& sources) { sources.main = {test::model_file("tiny-sd15", test::text_encoder_file)}; }));
  const std::string unknown = test::write_changed(
      folder / "a.safetensors", test::model_file("tiny-sd15", test::text_encoder_file), [](io::Safetensors& content) {
        const io::TensorView any = content.tensors.begin()->second;
        content.tensors = {{"nobody.weight", any}};
      });
  check_fails(ErrorKind::input, {unknown + " is of an architecture that lapis does not know.", "list models shows"},
              planned([&](ImportSources& sources) { sources.main = {unknown}; }));
}

TEST_CASE("a folder that is one component is answered with the folder of all of them") {
  check_fails(ErrorKind::input,
              {"is one component of a diffusers model", "import " + (test::models() / "tiny-sd15").string()},
              planned([](ImportSources& sources) { sources.main = {(test::models() / "tiny-sd15/unet").string()}; }));
}

TEST_CASE("what a field names and nothing takes is refused by that field") {
  const auto vae = planned([](ImportSources& sources) { sources.vae = test::model_file("tiny-flux", test::vae_file); });
  check_fails(ErrorKind::incompatible, {"has the VAE of another family", "lives in sd15:tiny-sd15"}, vae);
  CHECK(io::test::error_of(vae)->fields() == std::vector<std::string>{"vae"});
  const auto t5 = planned([](ImportSources& sources) {
    sources.t5xxl = test::model_file("tiny-flux", "text_encoder_2/model.safetensors");
  });
  check_fails(ErrorKind::usage, {"has no part for t5xxl."}, t5);
  CHECK(io::test::error_of(t5)->fields() == std::vector<std::string>{"t5xxl"});
  const auto clip =
      planned([](ImportSources& sources) { sources.clip_l = test::model_file("tiny-sd15", test::vae_file); });
  check_fails(ErrorKind::input, {"(clip_l) holds no ", " It holds "}, clip);
}
