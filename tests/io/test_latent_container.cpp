#include <catch2/catch.hpp>
#include <string>

#include "io/latent/latent_container.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

LatentFormat format_of(const std::string& file) { return open_latent_container(as_bytes(file), "a").format; }

void check_refused(const std::string& file, const std::string& name, const std::vector<std::string>& parts) {
  check_fails(ErrorKind::input, parts, [&] { open_latent_container(as_bytes(file), name); });
}

std::string tensors(const std::vector<std::string>& names, const std::map<std::string, std::string>& metadata = {}) {
  Safetensors content;
  content.metadata = metadata;
  const std::string number(4, '\0');
  for (const std::string& name : names) content.tensors[name] = {Dtype::f32, {1, 1, 1, 1}, as_bytes(number)};
  return as_text(safetensors_bytes(content));
}

}  // namespace

TEST_CASE("the format of a file shows in its bytes") {
  CHECK(format_of(as_text(latent_bytes(finished_latent()))) == LatentFormat::lapis);
  CHECK(format_of(latent_data("comfy.latent")) == LatentFormat::comfy);
  CHECK(format_of(latent_data("comfy_plain.latent")) == LatentFormat::comfy);
  CHECK(format_of(latent_data("comfy_old.latent")) == LatentFormat::comfy_old);
  CHECK(format_of(latent_data("diffusers.safetensors")) == LatentFormat::diffusers);
  CHECK(format_of(latent_data("diffusers_bf16.safetensors")) == LatentFormat::diffusers);
  CHECK(format_of(latent_data("diffusers_flux.safetensors")) == LatentFormat::diffusers);
  CHECK(format_of(latent_data("plain.npy")) == LatentFormat::npy);
}

TEST_CASE("the tensor and the metadata of a format are handed out") {
  const std::string file = latent_data("comfy.latent");
  const LatentContainer comfy = open_latent_container(as_bytes(file), "a");
  CHECK(comfy.tensor.shape == std::vector<std::int64_t>{1, 4, 3, 2});
  CHECK_THAT(comfy.metadata.at("prompt"), Catch::Contains("KSampler"));
  CHECK(metadata_prefix(LatentFormat::comfy) == "x-comfy.");
  CHECK(metadata_prefix(LatentFormat::comfy) == metadata_prefix(LatentFormat::comfy_old));
  CHECK(metadata_prefix(LatentFormat::npy).empty());
}

TEST_CASE("ComfyUI's marker is empty, whatever its dtype") {
  const std::string number(4, '\0');
  Safetensors content;
  content.tensors[comfy_tensor] = {Dtype::f32, {1, 1, 1, 1}, as_bytes(number)};
  content.tensors[comfy_marker] = {Dtype::f16, {0}, {}};
  CHECK(format_of(as_text(safetensors_bytes(content))) == LatentFormat::comfy);
  content.tensors[comfy_marker] = {Dtype::f32, {1}, as_bytes(number)};
  check_refused(as_text(safetensors_bytes(content)), "a.latent",
                {"a.latent holds numbers in \"latent_format_version_0\"", "Save the latent again"});
}

TEST_CASE("files that are no latents are named, with what to do") {
  check_refused("", "a.safetensors", {"a.safetensors is empty"});
  check_refused(read_text(data_file("pictures/rgb.png")), "a.png",
                {"a.png is a PNG picture, not a latent", "encode a.png"});
  check_refused(read_text(data_file("pictures/grey.jpg")), "a.jpg", {"a.jpg is a JPEG picture", "encode a.jpg"});
  check_refused(read_text(data_file("pictures/no.webp")), "a.webp", {"a.webp is a WebP picture", "as PNG"});
  check_refused("%PDF-1.7", "a.pdf", {"a.pdf is a PDF file"});
  check_refused("{\"a\": 1}", "model.json", {"model.json is JSON, not a latent"});
  check_refused("a lake\nat dawn ü", "a.txt", {"a.txt is text, not a latent", "\"a lake"});
  check_refused(latent_data("tensor.pt"), "a.pt", {"a.pt is PyTorch's file", "save_file({\"latents\": tensor}"});
  check_refused(latent_data("arrays.npz"), "a.npz", {"a.npz is NumPy's archive", "numpy.save"});
  check_refused(std::string("PK\x03\x04", 4), "a.zip", {"a.zip is a ZIP archive"});
  check_refused(std::string("\x80\x02}q\0", 5), "a.ckpt", {"a.ckpt is a Python pickle", "save_file"});
  check_refused("GGUF\x03", "a.gguf", {"a.gguf is a model's weights (GGUF)"});
  check_refused(std::string("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9), "a.bin", {"a.bin is no latent", "9 bytes"});
  check_refused("\x1b[31mred", "a.log", {"a.log is no latent", "\\x1b"});
}

TEST_CASE("safetensors files that are no latents are named too") {
  check_refused(tensors({}), "a", {"a holds no tensor"});
  check_refused(tensors({"weight"}), "a", {"a has one tensor, \"weight\"", "{\"latents\": tensor}"});
  check_refused(tensors({"a", "b", "c", "d"}), "a", {"a is a model's weights", "4 tensors, \"a\", \"b\", \"c\" ..."});
  check_refused(tensors({"latent"}), "a", {"no passport", "\"format\""});
  check_refused(tensors({"latents", "noise"}), "a", {"has 2 tensors", "Save the latent alone"});
  check_refused(tensors({"latent_tensor", "noise_mask"}), "a", {"has 2 tensors, \"latent_tensor\", \"noise_mask\""});
  check_refused(read_text(data_file("reference.safetensors")), "a", {"a is a model's weights", "8 tensors"});
  check_refused(latent_data("comfy.latent").substr(0, 100), "a", {"cut short"});
  CHECK(format_of(tensors({"latents"}, {{"format", "lapis.latent.1"}})) == LatentFormat::lapis);
}
