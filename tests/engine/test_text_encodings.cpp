// Encodings that are kept, and requests that may not be given another's.
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/text_encodings.hpp"
#include "io/file/safetensors.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "rendering.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

constexpr PartKind clip = PartKind::text_encoder;
constexpr std::int64_t encoding_width = 128;

EncodingKey key(std::int64_t id, PartKind encoder = clip, int clip_skip = 1) {
  PromptRows rows;
  rows.ids = at::full({1, 2}, id, at::TensorOptions().dtype(at::kLong));
  rows.weights = at::ones({1, 2});
  return {encoder, rows, clip_skip};
}

TextEncoding encoding(float value) { return {at::full({1, 2, 3}, value), at::full({1, 3}, value)}; }

/// Whether the text encoder runs for a request; what is drawn must be what a fresh engine draws.
bool is_encoded_by(Engine& made, const Model& of, const RenderRequest& asked, const std::string& dtype = "fp32") {
  const auto drawn = [&](Engine& by) {
    std::vector<Rendered> pictures;
    by.render(of, asked, nullptr, [&](const Rendered& picture) { pictures.push_back(picture); });
    return pictures.at(0);
  };
  const Rendered expected = drawn(*make_engine(dtype, 1));
  const Rendered found = drawn(made);
  CHECK(found.latent.values == expected.latent.values);
  CHECK(found.image.rgb == expected.image.rgb);
  CHECK(expected.timings.of(clip) > 0);
  return found.timings.of(clip) > 0;
}

std::filesystem::path written(const std::filesystem::path& path, float value) {
  const std::vector<float> values(encoding_width, value);
  io::write_safetensors(path, {{{"values", {io::Dtype::f32, {encoding_width}, std::as_bytes(std::span(values))}}}, {}},
                        true);
  return path;
}

RenderRequest with_bias(const std::filesystem::path& file, double scale) {
  RenderRequest asked = request(7, 1, 3);
  asked.attachments.parts[clip].deltas = {
      {file, "final_layer_norm.bias", DeltaKind::full, {{"diff", "values"}}, scale, {}}};
  return asked;
}

RenderRequest with_word(const std::filesystem::path& file) {
  RenderRequest asked = request(7, 1, 3);
  asked.job.prompt = "a <word>";
  asked.job.clip_skip = 1;
  const std::vector<std::string> embeddings = {"word=" + file.string()};
  io::Tokenizers tokenizers;
  io::PromptReader reader(model(), asked.attachments, asked.job, embeddings);
  io::EncodedPrompts encoded = reader.encode(tokenizers);
  asked.prompt["tokenizer"] = encoded.prompt.at("tokenizer").chunks;
  asked.negative["tokenizer"] = encoded.negative.at("tokenizer").chunks;
  return asked;
}

}  // namespace

TEST_CASE("an encoding is found by all that it was made of, and is a copy") {
  TextEncodings encodings;
  const TextEncoding made = encoding(1);
  const TextEncoding& kept = encodings.keep(key(1), made);
  made.context.zero_();
  REQUIRE(encodings.find(key(1)) == &kept);
  CHECK(kept.context.equal(encoding(1).context));
  CHECK(kept.pooled.equal(encoding(1).pooled));
  CHECK(encodings.bytes() == (6 + 3) * 4);
  CHECK_FALSE(encodings.keep(key(2), {encoding(1).context, {}}).pooled.defined());
  std::vector<EncodingKey> others = {key(3), key(1, PartKind::text_encoder_2), key(1, clip, 2)};
  others.resize(8, key(1));
  others[3].rows.weights = at::full({1, 2}, 1.1);
  others[4].rows.ids = others[4].rows.ids.repeat({2, 1});
  others[5].rows.prompts = 2;
  others[6].rows.chunks = 2;
  others[7].rows.syntax = PromptSyntax::comfy;
  for (const EncodingKey& other : others) CHECK(encodings.find(other) == nullptr);
}

TEST_CASE("of more encodings than are kept the one unused longest goes, and a text encoder's go together") {
  TextEncodings encodings;
  const auto most = static_cast<std::int64_t>(TextEncodings::most);
  for (std::int64_t id = 0; id < most; ++id) encodings.keep(key(id), encoding(1));
  CHECK(encodings.find(key(0)) != nullptr);
  encodings.keep(key(most, PartKind::text_encoder_2), encoding(1));
  CHECK(encodings.find(key(1)) == nullptr);
  CHECK(encodings.find(key(0)) != nullptr);
  CHECK(encodings.bytes() == TextEncodings::most * 9 * 4);
  encodings.drop(clip);
  CHECK(encodings.find(key(0)) == nullptr);
  CHECK(encodings.find(key(most, PartKind::text_encoder_2)) != nullptr);
  encodings.clear();
  CHECK(encodings.bytes() == 0);
}

TEST_CASE("a prompt that comes again is encoded once, and draws the same") {
  for (const std::uint64_t keep_bytes : {std::uint64_t{0}, everything}) {
    const auto made = make_engine("fp32", 1, keep_bytes);
    int runs = 0;
    const auto draw = [&](const RenderRequest& asked) { runs += is_encoded_by(*made, model(), asked) ? 1 : 0; };
    draw(request(7, 1, 3));
    draw(request(8, 1, 3));
    draw(request(7, 1, 5));
    CHECK(runs == 1);
    draw(request(7, 1, 1));  // without the negative's row
    CHECK(runs == 2);
    RenderRequest other = request(7, 1, 3);
    std::swap(other.prompt["tokenizer"][0].ids[1], other.prompt["tokenizer"][0].ids[2]);
    draw(other);
    CHECK(runs == 3);
    draw(request(7, 1, 3));
    draw(other);
    CHECK(runs == 3);
  }
}

TEST_CASE("no request is given the encoding of another one") {
  const lapis::test::TemporaryFolder folder;
  const auto bias = written(folder / "bias.safetensors", 0.5F);
  const auto made = make_engine("fp32", 1, everything);
  const auto runs = [&](const RenderRequest& asked) { return is_encoded_by(*made, model(), asked); };
  CHECK(runs(request(7, 1, 3)));
  RenderRequest deeper = request(7, 1, 3);
  deeper.job.clip_skip = 2;
  CHECK(runs(deeper));
  RenderRequest weighed = request(7, 1, 3);
  weighed.prompt["tokenizer"][0].weights[2] = 1.5F;
  weighed.job.prompt_syntax = PromptSyntax::a1111;
  CHECK(runs(weighed));
  weighed.job.prompt_syntax = PromptSyntax::comfy;
  weighed.empty["tokenizer"] = weighed.negative["tokenizer"][0];
  CHECK(runs(weighed));
  CHECK_FALSE(runs(request(7, 1, 3)));
  CHECK(runs(with_bias(bias, 1)));
  CHECK_FALSE(runs(with_bias(bias, 1)));
  CHECK(runs(with_bias(bias, 0.5)));
  CHECK(runs(request(7, 1, 3)));
  const RenderRequest first = with_word(written(folder / "word.safetensors", 0.1F));
  CHECK(runs(first));
  CHECK_FALSE(runs(first));
  const RenderRequest second = with_word(written(folder / "word.safetensors", 0.2F));
  CHECK((second.prompt == first.prompt));  // in brackets: libtorch prints vectors of what can be printed
  CHECK(runs(second));
  CHECK(is_encoded_by(*make_engine("bf16", 1, everything), model(), request(7, 1, 3), "bf16"));
}

TEST_CASE("a LoRA on another part leaves encodings where they are") {
  const lapis::test::TemporaryFolder folder;
  const auto made = make_engine("fp32", 1, everything);
  CHECK(is_encoded_by(*made, model(), request(7, 1, 3)));
  RenderRequest asked = request(7, 1, 3);
  asked.attachments.parts[PartKind::denoiser].deltas = {
      {written(folder / "other.safetensors", 0), "gone", DeltaKind::full, {{"diff", "values"}}, 1, {}}};
  CHECK_FALSE(is_encoded_by(*made, model(), asked));
}

TEST_CASE("a text encoder with nothing to do is not loaded") {
  const lapis::test::TemporaryFolder folder;
  Model moved = model();
  std::filesystem::path& graph = moved.parts.at("text_encoder").graph;
  std::filesystem::copy_file(graph, folder / "clip.pt");
  graph = folder / "clip.pt";
  for (const bool decodes : {true, false}) {
    const auto made = make_engine("fp32", 1);
    RenderRequest asked = request(7, 1, 3);
    asked.decodes = decodes;
    const auto draw = [&] { return made->render(moved, asked, nullptr, [](const Rendered&) {}); };
    draw();
    std::filesystem::rename(graph, folder / "away.pt");
    CHECK_NOTHROW(draw());
    asked.job.clip_skip = 2;
    CHECK_THROWS_AS(draw(), Error);
    std::filesystem::rename(folder / "away.pt", graph);
  }
}

TEST_CASE("encodings go with their model") {
  Model other = model();
  other.name = "other";
  const auto roomy = make_engine("fp32", 1, everything);
  const auto narrow = make_engine("fp32", 1);
  for (const auto& [made, again] : {std::pair(roomy.get(), false), std::pair(narrow.get(), true)}) {
    CHECK(is_encoded_by(*made, model(), request(7, 1, 3)));
    CHECK(is_encoded_by(*made, other, request(7, 1, 3)));
    CHECK(is_encoded_by(*made, model(), request(7, 1, 3)) == again);
  }
}
