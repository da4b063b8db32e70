// The bundled models' autoencoders against one another: what a latent looks like in a decoder that is not its own.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <array>
#include <c10/core/InferenceMode.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "../folder.hpp"
#include "core/picture/pixels.hpp"
#include "engine/part.hpp"
#include "engine/vae.hpp"
#include "io/model/model_folder.hpp"
#include "io/picture/picture_reader.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

Model bundled(const std::string& name) { return io::read_model(lapis::test::models() / name); }

/// A sheet of scenes and shapes.
Image scenes() {
  const auto path = lapis::test::folder().parent_path() / "docs/images/tiny-sd15.png";
  const std::vector<std::byte> file = io::read_picture_file(path);
  return core::rgb_image(io::read_pixels(file, io::read_picture_facts(file, "sheet"), "sheet"));
}

/// The mean of `image`'s moments in model units.
at::Tensor encoded(const Model& model, const Image& image) {
  LoadedPart encoder(model.parts.at("vae_encoder"), "vae_encoder", {});
  return (encode(encoder, model.space, image, false).mean - model.space.shift) * model.space.scale;
}

at::Tensor decoded(const Model& model, const at::Tensor& latent) {
  LoadedPart decoder(model.parts.at("vae_decoder"), "vae_decoder", {});
  return decode(decoder, model.space, latent, false).clamp(-1, 1);
}

/// Peak signal-to-noise ratio of two pictures in [-1, 1], dB.
double psnr(const at::Tensor& a, const at::Tensor& b) {
  return -10 * std::log10(((a - b) / 2).square().mean().item<double>());
}

}  // namespace

TEST_CASE("a latent in the decoder of another family's lineage is garbage, and in its own the picture") {
  const c10::InferenceMode inference;
  const Image sheet = scenes();
  const std::array<Model, 2> models = {bundled("tiny-sd15"), bundled("tiny-sdxl")};
  for (std::size_t i = 0; i < models.size(); ++i) {
    const Model& own = models[i];
    const Model& other = models[1 - i];
    REQUIRE(own.space.channels == other.space.channels);  // nothing but the lineage tells them apart
    const at::Tensor right = decoded(own, encoded(own, sheet));
    CHECK(psnr(decoded(other, encoded(own, sheet)), right) < 12);
    CHECK(psnr(decoded(other, encoded(other, sheet)), right) > 25);
  }
}
