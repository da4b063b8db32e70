#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "../io/support.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/weight_digests.hpp"
#include "pipeline/background_digests.hpp"

namespace fs = std::filesystem;
using namespace lapis;
using namespace std::chrono_literals;
using io::test::TemporaryFolder;
using pipeline::BackgroundDigests;

namespace {

/// A model whose denoiser's weights are linked, as an import leaves them: without a digest.
Model linked_model(const fs::path& folder) {
  const std::string weights = "unet/diffusion_pytorch_model.safetensors";
  fs::copy(test::models() / "tiny-sd15", folder / "m", fs::copy_options::recursive);
  fs::rename(folder / "m" / weights, folder / "weights.safetensors");
  fs::create_symlink(folder / "weights.safetensors", folder / "m" / weights);
  std::string document = io::test::read_text(folder / "m/model.json");
  const std::string digest = "\"sha256\": \"9b623ebf3b2d81b55250135b76543f9142981ea74df40717a5d655c9225b45a0\"";
  document.replace(document.find(digest), digest.size(),
                   "\"modified\": " + std::to_string(io::last_change(folder / "weights.safetensors")));
  io::test::write_text(folder / "m/model.json", document);
  return io::read_model(folder / "m");
}

}  // namespace

TEST_CASE("digests that model.json lacks are taken once a render is long, and written there") {
  const TemporaryFolder folder;
  const Model model = linked_model(folder.path());
  REQUIRE(io::unknown_weight_digests(model).size() == 1);
  {
    const BackgroundDigests digests(model, 0ms);
    for (int i = 0; i < 1000 && !io::unknown_weight_digests(io::read_model(model.folder)).empty(); ++i)
      std::this_thread::sleep_for(10ms);
  }
  CHECK(io::unknown_weight_digests(io::read_model(model.folder)).empty());
}

TEST_CASE("a render that is over before then leaves the folder as it is, and does not wait") {
  const TemporaryFolder folder;
  const Model model = linked_model(folder.path());
  const auto start = std::chrono::steady_clock::now();
  { const BackgroundDigests digests(model, 1h); }
  CHECK(std::chrono::steady_clock::now() - start < 1min);
  CHECK(io::unknown_weight_digests(io::read_model(model.folder)).size() == 1);
}

TEST_CASE("where weights cannot be read it is no error") {
  const TemporaryFolder folder;
  const Model model = linked_model(folder.path());
  fs::remove_all(model.folder);
  CHECK_NOTHROW(BackgroundDigests(model, 0ms));
}
