#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "core/text/names.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/sha256.hpp"
#include "pipeline/loras.hpp"
#include "pipeline/model_catalog.hpp"

using namespace lapis;
using namespace lapis::pipeline;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

const std::string to_q = "down_blocks.2.attentions.0.transformer_blocks.0.attn1.to_q";

/// Factors of one layer of tiny-sd15, which is 96 wide, and a tensor of a layer that it has not.
void write_lora(const std::filesystem::path& path, bool stranger = false) {
  const std::vector<float> zeros(96 * 4);
  io::Safetensors content;
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    content.tensors[name] = {io::Dtype::f32, shape, std::as_bytes(std::span(zeros))};
  };
  add("unet." + to_q + ".lora_A.weight", {4, 96});
  add("unet." + to_q + ".lora_B.weight", {96, 4});
  if (stranger)
    content.tensors["text_encoder.text_projection.alpha"] = {
        io::Dtype::f32, {}, std::as_bytes(std::span(zeros).first(1))};
  io::write_safetensors(path, content, false);
}

}  // namespace

TEST_CASE("LoRAs that are asked come first, then those that the prompt calls") {
  const TemporaryFolder folder;
  write_lora(folder / "style.safetensors");
  write_lora(folder / "light.safetensors");
  ModelCatalog catalog;
  Attachments attachments;
  ResolvedJob job;
  job.loras = {"of another job"};
  const std::vector<core::LoraCall> calls{{"light", {0.25, 0.25}}};
  const LoraRequest request{{"style:0.5"}, calls, {folder.path().string()}, {}, ""};
  CHECK(add_loras(request, catalog.open("tiny-sd15"), attachments, job).empty());
  CHECK(job.loras == std::vector<std::string>{"style:0.5"});
  REQUIRE(attachments.loras.size() == 2);
  CHECK(attachments.loras[0].name == "style");
  CHECK_FALSE(attachments.loras[0].in_prompt);
  CHECK(attachments.loras[1].name == "light");
  CHECK(attachments.loras[1].in_prompt);
  CHECK(attachments.of(PartKind::denoiser).deltas.size() == 2);
}

TEST_CASE("what is left out of a file is told, and it is added all the same") {
  const TemporaryFolder folder;
  write_lora(folder / "style.safetensors", true);
  ModelCatalog catalog;
  Attachments attachments;
  ResolvedJob job;
  const std::string file = (folder / "style.safetensors").string();
  const auto warnings = add_loras({{file}, {}, {}, {}, ""}, catalog.open("tiny-sd15"), attachments, job);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Catch::StartsWith(file + ": 1 tensor is ") &&
                                   Catch::EndsWith("and left out: text_encoder.text_projection.alpha"));
  CHECK(attachments.loras.size() == 1);
}

TEST_CASE("a file that is not the one a latent was made with is refused by its digest") {
  const TemporaryFolder folder;
  write_lora(folder / "style.safetensors");
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  LoraRequest request{{"style"}, {}, {folder.path().string()}, {{"style", std::string(64, '0')}}, "a.safetensors"};
  Attachments attachments;
  ResolvedJob job;
  check_fails(ErrorKind::usage,
              {"the job that a.safetensors records, loras style: ", "is not the file that the latent was made with",
               "expected 000000000000."},
              [&] { add_loras(request, model, attachments, job); });
  request.recorded["style"] = io::sha256_file(folder / "style.safetensors", ErrorKind::input);
  Attachments other;
  CHECK_NOTHROW(add_loras(request, model, other, job));
  check_fails(ErrorKind::usage, {"the prompt, <lora:nobody:1>: there is no file"}, [&] {
    const std::vector<core::LoraCall> calls{{"nobody", {1, 1}}};
    add_loras({{}, calls, {}, {}, ""}, model, other, job);
  });
}
