// The tiny model's text encoder, through prompts of chunks, layers and added rows.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "../folder.hpp"
#include "engine/clip_text.hpp"
#include "io/file/safetensors.hpp"
#include "io/model/model_folder.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

constexpr std::int64_t clip_width = 128;

Model tiny_model() { return io::read_model(lapis::test::models() / "tiny-sd15"); }

RenderRequest prompt_request(const Model& of, const std::string& prompt, const std::string& negative,
                             PromptSyntax syntax, const std::vector<std::string>& embeddings = {}) {
  RenderRequest made;
  made.job.prompt = prompt;
  made.job.negative_prompt = negative;
  made.job.prompt_syntax = syntax;
  made.job.guidance = 7;
  made.job.clip_skip = 1;
  io::Tokenizers tokenizers;
  io::EncodedPrompts encoded = io::PromptReader(of, made.attachments, made.job, embeddings).encode(tokenizers);
  made.prompt["tokenizer"] = encoded.prompt.at("tokenizer").chunks;
  made.negative["tokenizer"] = encoded.negative.at("tokenizer").chunks;
  made.empty = encoded.empty;
  return made;
}

TextEncoding encoded(Parts& parts, const RenderRequest& asked, ClipStates states = ClipStates::normed) {
  return encode_clip(parts, PartKind::text_encoder, asked, states);
}

double encoding_error(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  return (found - expected).abs().max().item<double>();
}

/// The row of `word` in the table of token embeddings.
std::vector<float> row_of(const Model& of, const std::string& word) {
  const std::int64_t id = prompt_request(of, word, "", PromptSyntax::plain).prompt.at("tokenizer").front().ids[1];
  const io::SafetensorsFile file(of.parts.at("text_encoder").weights.front(), ErrorKind::model);
  const io::TensorView& table = *file.find("embeddings.token_embedding.weight");
  REQUIRE(table.dtype == io::Dtype::f16);
  std::vector<c10::Half> half(clip_width);
  std::memcpy(half.data(), table.data.data() + id * clip_width * 2, clip_width * 2);
  return {half.begin(), half.end()};
}

std::string write_embedding(const std::vector<float>& values) {
  const auto path = std::filesystem::temp_directory_path() / "lapis-test-word.safetensors";
  const auto rows = static_cast<std::int64_t>(values.size()) / clip_width;
  io::write_safetensors(
      path, {{{"emb_params", {io::Dtype::f32, {rows, clip_width}, std::as_bytes(std::span(values))}}}, {}}, true);
  return path.string();
}

}  // namespace

TEST_CASE("chunks are encoded apart and joined, negative first") {
  const Model tiny = tiny_model();
  Parts parts(tiny, {});
  const TextEncoding joined =
      encoded(parts, prompt_request(tiny, "a red house BREAK snow", "fog", PromptSyntax::a1111));
  CHECK(joined.context.sizes() == at::IntArrayRef({2, 154, clip_width}));
  CHECK(joined.pooled.sizes() == at::IntArrayRef({2, clip_width}));
  const auto alone = [&](const std::string& prompt, const std::string& negative) {
    return encoded(parts, prompt_request(tiny, prompt, negative, PromptSyntax::plain));
  };
  const TextEncoding first = alone("a red house", "fog");
  const TextEncoding second = alone("snow", "");
  CHECK(encoding_error(joined.context.narrow(1, 0, 77), first.context) < 1e-5);
  CHECK(encoding_error(joined.context.narrow(1, 77, 77), second.context) < 1e-5);
  CHECK(encoding_error(joined.pooled, first.pooled) < 1e-5);
  CHECK(encoding_error(first.context, second.context) > 0.1);
}

TEST_CASE("clip skip counts layers from the end") {
  const Model tiny = tiny_model();
  Parts parts(tiny, {});
  RenderRequest asked = prompt_request(tiny, "a red house", "", PromptSyntax::plain);
  const std::vector<at::Tensor> outputs = parts.part(PartKind::text_encoder).run({prompt_rows(asked, "tokenizer").ids});
  for (const int skip : {1, 2, 3}) {
    asked.job.clip_skip = skip;
    Parts raw(tiny, {});
    CHECK(encoding_error(encoded(raw, asked, ClipStates::raw).context, outputs[0][4 - skip]) < 1e-5);
    CHECK(encoding_error(encoded(parts, asked).context, outputs[1][4 - skip]) < 1e-5);
    CHECK(encoding_error(encoded(parts, asked).context, outputs[1][3 - skip]) > 0.1);
  }
  asked.job.clip_skip = 4;
  CHECK_THROWS_WITH(encoded(parts, asked), Catch::Contains("has 3 layers"));
}

TEST_CASE("an embedding of a word's own vector is that word, one of another vector is not") {
  const Model bare = tiny_model();
  Parts parts(bare, {});
  const at::Tensor expected = encoded(parts, prompt_request(bare, "a red boat", "", PromptSyntax::plain)).context;
  for (const bool same : {true, false}) {
    std::vector<float> values = row_of(bare, "red");
    const std::vector<float> boat = row_of(bare, "boat");
    values.insert(values.end(), boat.begin(), boat.end());
    if (!same) std::swap(values[0], values[1]);
    const Model tiny = tiny_model();
    const RenderRequest asked =
        prompt_request(tiny, "a <word>", "", PromptSyntax::plain, {"word=" + write_embedding(values)});
    parts.attach(asked.attachments);
    const double difference = encoding_error(encoded(parts, asked).context, expected);
    CHECK((same ? difference < 1e-5 : difference > 1e-3));
  }
}
