#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "../folder.hpp"
#include "io/checkpoint/lora_files.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/sha256.hpp"
#include "io/model/model_folder.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

const std::string to_q = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q";

/// Tensors of zeros, by name and shape, and alphas.
void write(const std::filesystem::path& path, const std::map<std::string, std::vector<std::int64_t>>& shapes,
           const std::map<std::string, float>& alphas = {}, const std::map<std::string, std::string>& metadata = {}) {
  Safetensors content{{}, metadata};
  std::vector<float> zeros(1U << 16U);
  for (const auto& [name, shape] : shapes) {
    const std::size_t bytes = tensor_bytes(Dtype::f32, shape).value();
    content.tensors[name] = {Dtype::f32, shape, std::as_bytes(std::span(zeros)).first(bytes)};
  }
  for (const auto& [name, alpha] : alphas) {
    content.tensors[name] = {Dtype::f32, {}, std::as_bytes(std::span(&alpha, 1))};
  }
  write_safetensors(path, content, true);
}

std::int64_t width_of(const Model& model) {
  for (const core::LoraPart& part : lora_model(model).parts) {
    for (const core::TensorShape& tensor : part.parameters) {
      if (tensor.name == to_q + ".weight") return tensor.shape[0];
    }
  }
  return 0;
}

void write_to_q(const std::filesystem::path& path, std::int64_t width,
                const std::map<std::string, std::string>& metadata = {}) {
  write(path, {{"unet." + to_q + ".lora_A.weight", {4, width}}, {"unet." + to_q + ".lora_B.weight", {width, 4}}}, {},
        metadata);
}

}  // namespace

TEST_CASE("a model's parameters are those of its graphs, whatever its weights are called") {
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  model.parts.at("denoiser").key_scheme = "ldm-unet";
  model.parts.at("denoiser").weights = {"not asked for"};
  const core::LoraModel parts = lora_model(model);
  REQUIRE(parts.parts.size() == 2);
  CHECK(parts.parts[0].name == "denoiser");
  CHECK(parts.parts[0].parameters.size() > 100);
  CHECK(width_of(model) > 0);
}

TEST_CASE("a LoRA is added whole or not at all") {
  TemporaryFolder folder;
  const Model model = read_model(lapis::test::models() / "tiny-sd15");
  Attachments added;
  const core::LoraModel parts = lora_model(model);
  write_to_q(folder / "style.safetensors", width_of(model));
  CHECK(add_lora(added, parts, folder / "style.safetensors", {0.5, 0.25}, true).left_out.empty());
  REQUIRE(added.of(PartKind::denoiser).deltas.size() == 1);
  const Delta& delta = added.of(PartKind::denoiser).deltas.front();
  CHECK(delta.file == folder / "style.safetensors");
  CHECK(delta.parameter == to_q + ".weight");
  CHECK(delta.scale == 0.25);
  CHECK(delta.sha256 == sha256_file(folder / "style.safetensors", ErrorKind::input));
  const Lora& lora = added.loras.front();
  CHECK(lora.name == "style");
  CHECK(lora.sha256 == sha256_file(folder / "style.safetensors", ErrorKind::input));
  const std::string text = read_text(folder / "style.safetensors");
  const std::string data =
      text.substr(text.size() - std::size_t{2} * 4 * 4 * static_cast<std::size_t>(width_of(model)));
  CHECK(lora.data_sha256 == sha256(as_bytes(data)));
  CHECK(lora.in_prompt);

  write_to_q(folder / "wide.safetensors", width_of(model) + 1);
  check_fails(ErrorKind::incompatible, {"wide.safetensors", "tiny-sd15"},
              [&] { add_lora(added, parts, folder / "wide.safetensors", {}, false); });
  CHECK(added.of(PartKind::denoiser).deltas.size() == 1);
  CHECK(added.loras.size() == 1);
}

TEST_CASE("alphas are numbers, and peft's configuration lies in the file or beside it") {
  TemporaryFolder folder;
  write(folder / "a.safetensors", {{"m.lora_down.weight", {1, 2}}}, {{"m.alpha", 2.5F}});
  CHECK(read_lora(folder / "a.safetensors").file.alphas == std::map<std::string, double>{{"m.alpha", 2.5}});
  write(folder / "a.safetensors", {}, {{"m.alpha", NAN}});
  check_fails(ErrorKind::input, {"m.alpha", "NaN", "finite"}, [&] { read_lora(folder / "a.safetensors"); });
  write(folder / "a.safetensors", {{"m.alpha", {2}}});
  check_fails(ErrorKind::input, {"m.alpha", "[2]"}, [&] { read_lora(folder / "a.safetensors"); });

  write_to_q(folder / "p.safetensors", 8,
             {{"lora_adapter_metadata", R"({"unet.r": 4, "unet.lora_alpha": 2, "unet.use_rslora": true,
                                           "unet.alpha_pattern": {"to_q": 8}, "unet.target_modules": ["to_q"]})"}});
  REQUIRE(read_lora(folder / "p.safetensors").file.scales.size() == 1);
  CHECK(read_lora(folder / "p.safetensors").file.scales[0].alpha == 2);
  write_to_q(folder / "p.safetensors", 8, {{"lora_adapter_metadata", "{"}});
  check_fails(ErrorKind::input, {"lora_adapter_metadata"}, [&] { read_lora(folder / "p.safetensors"); });

  write_to_q(folder / "adapter_model.safetensors", 8);
  CHECK(read_lora(folder / "adapter_model.safetensors").file.scales.empty());
  write_text(folder / "adapter_config.json", R"({"r": 4, "lora_alpha": 16, "target_modules": null})");
  REQUIRE(read_lora(folder / "adapter_model.safetensors").file.scales.size() == 1);
  CHECK(read_lora(folder / "adapter_model.safetensors").file.scales[0].alpha == 16);
}

TEST_CASE("files that are no safetensors files are told apart") {
  TemporaryFolder folder;
  write_text(folder / "a.pt", std::string("PK\x03\x04", 4) + std::string(100, 'x'));
  check_fails(ErrorKind::input, {"a.pt", "PyTorch"}, [&] { read_lora(folder / "a.pt"); });
  write_text(folder / "b.safetensors", "");
  check_fails(ErrorKind::input, {"is empty"}, [&] { read_lora(folder / "b.safetensors"); });
  write_to_q(folder / "c.safetensors", 8);
  const std::string text = read_text(folder / "c.safetensors");
  write_text(folder / "c.safetensors", text.substr(0, text.size() - 4));
  check_fails(ErrorKind::input, {"c.safetensors"}, [&] { read_lora(folder / "c.safetensors"); });
}

TEST_CASE("names that a terminal would obey are refused") {
  TemporaryFolder folder;
  write(folder / "a.safetensors", {{"m\x1b[2J.lora_down.weight", {1, 2}}});
  check_fails(ErrorKind::input, {"a.safetensors", "control characters"}, [&] { read_lora(folder / "a.safetensors"); });
  write(folder / "a.safetensors", {{std::string(600, 'm') + ".lora_down.weight", {1, 2}}});
  check_fails(ErrorKind::input, {"too long"}, [&] { read_lora(folder / "a.safetensors"); });
}

TEST_CASE("names are looked up below folders, the first of which counts") {
  TemporaryFolder folder;
  write_text(folder / "one/deep/style.safetensors", "1");
  write_text(folder / "two/style.safetensors", "2");
  write_text(folder / "two/other.safetensors", "3");
  const std::vector<std::filesystem::path> folders = {folder / "none", folder / "one", folder / "two"};
  CHECK(find_lora("style", folders, "f") == folder / "one/deep/style.safetensors");
  CHECK(find_lora("style.safetensors", folders, "f") == folder / "one/deep/style.safetensors");
  CHECK(find_lora("deep/style", folders, "f") == folder / "one/deep/style.safetensors");
  CHECK(find_lora("other", folders, "f") == folder / "two/other.safetensors");
  CHECK(find_lora((folder / "two/style.safetensors").string(), folders, "f") == folder / "two/style.safetensors");
  check_fails(ErrorKind::usage, {"--lora stile", "Did you mean \"style\"", "lora_dirs"},
              [&] { find_lora("stile", folders, "--lora stile"); });
  check_fails(ErrorKind::usage, {"none is known"}, [&] { find_lora("x", {}, "f"); });
  write_text(folder / "one/style.safetensors", "4");
  check_fails(ErrorKind::usage, {"two of that name"}, [&] { find_lora("style", folders, "f"); });
}

TEST_CASE("alphas are read in every type that one number can have") {
  TemporaryFolder folder;
  const std::vector<float> zeros(8);
  const auto alpha_of = [&](Dtype dtype, std::span<const std::byte> number) {
    Safetensors content;
    content.tensors["m.lora_down.weight"] = {Dtype::f32, {4, 2}, std::as_bytes(std::span(zeros))};
    content.tensors["m.alpha"] = {dtype, {}, number};
    write_safetensors(folder / "a.safetensors", content, true);
    return read_lora(folder / "a.safetensors").file.alphas.at("m.alpha");
  };
  const std::uint8_t four = 0x48;
  CHECK(alpha_of(Dtype::f8_e4m3, std::as_bytes(std::span(&four, 1))) == 4);
  const std::int16_t eight = 8;
  CHECK(alpha_of(Dtype::i16, std::as_bytes(std::span(&eight, 1))) == 8);
  const double half = 0.5;
  CHECK(alpha_of(Dtype::f64, std::as_bytes(std::span(&half, 1))) == 0.5);
}

TEST_CASE("scales are no tensors of a LoRA, hold for alphas too, and are there for all factors or for none") {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> small(8, 0x38);
  const std::uint8_t four = 0x48;
  const float half = 0.5F;
  const std::vector<std::int64_t> one;
  Safetensors content;
  content.tensors["m.lora_down.weight"] = {Dtype::f8_e4m3, {4, 2}, std::as_bytes(std::span(small))};
  content.tensors["m.alpha"] = {Dtype::f8_e4m3, one, std::as_bytes(std::span(&four, 1))};
  content.tensors["m.lora_down.weight_scale"] = {Dtype::f32, one, std::as_bytes(std::span(&half, 1))};
  const auto read = [&] {
    write_safetensors(folder / "a.safetensors", content, true);
    return read_lora(folder / "a.safetensors").file;
  };
  CHECK(read().tensors.size() == 2);
  CHECK(read().alphas.at("m.alpha") == 4);
  content.tensors["m.alpha.scale_weight"] = content.tensors["m.lora_down.weight_scale"];
  CHECK(read().tensors.size() == 2);
  CHECK(read().alphas.at("m.alpha") == 2);
  content.tensors["m.lora_up.weight"] = {Dtype::f8_e4m3, {4, 2}, std::as_bytes(std::span(small))};
  CHECK_THROWS_WITH(read(), Catch::Contains("m.lora_up.weight is in fp8, and its scale is not there"));
  content.tensors.erase("m.lora_up.weight");
  content.tensors["n.lora_up.weight_scale"] = content.tensors["m.lora_down.weight_scale"];
  CHECK_THROWS_WITH(read(), Catch::Contains("scales a weight that is not there"));
}

TEST_CASE("a file that links lead to as well is one file") {
  TemporaryFolder folder;
  write_text(folder / "real/deep/style.safetensors", "1");
  std::filesystem::create_directory_symlink("deep", folder / "real/linked");
  std::filesystem::create_symlink("deep/style.safetensors", folder / "real/style.safetensors");
  std::filesystem::create_symlink("nowhere", folder / "real/broken.safetensors");
  const std::vector<std::filesystem::path> folders = {folder / "real"};
  CHECK(std::filesystem::equivalent(find_lora("style", folders, "f"), folder / "real/deep/style.safetensors"));
  check_fails(ErrorKind::usage, {"broken"}, [&] { find_lora("broken", folders, "f"); });
  write_text(folder / "real/other/style.safetensors", "2");
  check_fails(ErrorKind::usage, {"two of that name"}, [&] { find_lora("style", folders, "f"); });
}

TEST_CASE("endings count in any case") {
  TemporaryFolder folder;
  write_text(folder / "one/style.SafeTensors", "1");
  write_text(folder / "one/deep/other.SAFETENSORS", "2");
  const std::vector<std::filesystem::path> folders = {folder / "one"};
  CHECK(find_lora("style", folders, "f") == folder / "one/style.SafeTensors");
  CHECK(find_lora("style.safetensors", folders, "f") == folder / "one/style.SafeTensors");
  CHECK(find_lora("deep/other", folders, "f") == folder / "one/deep/other.SAFETENSORS");
}
