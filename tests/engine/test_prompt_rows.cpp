#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <catch2/catch.hpp>
#include <vector>

#include "engine/prompt_rows.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

RenderRequest token_request(PromptSyntax syntax, double guidance, const Tokens& prompt, const Tokens& negative) {
  RenderRequest made;
  made.job.prompt_syntax = syntax;
  made.job.guidance = guidance;
  made.prompt["tokenizer"] = prompt;
  made.negative["tokenizer"] = negative;
  made.empty["tokenizer"] = {{9, 9}, {1, 1}};
  return made;
}

at::Tensor tensor(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::tensor(values, at::TensorOptions().dtype(at::kFloat)).view(shape);
}

double row_error(const at::Tensor& found, const at::Tensor& expected) {
  REQUIRE(found.sizes() == expected.sizes());
  return (found - expected).abs().max().item<double>();
}

const Tokens plain_tokens = {{{1, 2}, {1, 1}}};
const Tokens weighted_tokens = {{{3, 4}, {1, 2}}};

}  // namespace

TEST_CASE("rows are the negative's chunks, the prompt's, and the empty prompt where it is needed") {
  const PromptRows guided =
      prompt_rows(token_request(PromptSyntax::a1111, 7, weighted_tokens, plain_tokens), "tokenizer");
  CHECK(at::equal(guided.ids, at::tensor({1, 2, 3, 4}, at::kLong).view({2, 2})));
  CHECK(guided.prompts == 2);
  CHECK(guided.weighted);
  const PromptRows alone =
      prompt_rows(token_request(PromptSyntax::plain, 1, plain_tokens, weighted_tokens), "tokenizer");
  CHECK(at::equal(alone.ids, at::tensor({1, 2}, at::kLong).view({1, 2})));
  CHECK_FALSE(alone.weighted);
  const PromptRows comfy =
      prompt_rows(token_request(PromptSyntax::comfy, 1, weighted_tokens, plain_tokens), "tokenizer");
  CHECK(at::equal(comfy.ids, at::tensor({3, 4, 9, 9}, at::kLong).view({2, 2})));
  CHECK(prompt_rows(token_request(PromptSyntax::comfy, 1, plain_tokens, plain_tokens), "tokenizer").ids.size(0) == 1);
  const Tokens two = {plain_tokens.front(), plain_tokens.front()};
  CHECK_THROWS_AS(prompt_rows(token_request(PromptSyntax::a1111, 7, two, plain_tokens), "tokenizer"), Error);
}

TEST_CASE("a1111 scales tokens and restores each chunk's mean") {
  const Tokens chunks = {{{3, 4}, {1, 2}}, {{5, 6}, {1, 1}}};
  const PromptRows rows = prompt_rows(token_request(PromptSyntax::a1111, 1, chunks, chunks), "tokenizer");
  const at::Tensor states = tensor({1, 2, 3, 4, 0.1F, 0.2F, 0.3F, 0.4F}, {2, 2, 2});
  // The first chunk: (1, 2, 6, 8), whose mean 4.25 becomes 2.5 again.
  const float scale = 2.5F / 4.25F;
  const at::Tensor expected = tensor({1 * scale, 2 * scale, 6 * scale, 8 * scale, 0.1F, 0.2F, 0.3F, 0.4F}, {1, 4, 2});
  const at::Tensor found = joined_context(states, rows);
  CHECK(row_error(found, expected) < 1e-6);
  CHECK(at::equal(found.narrow(1, 2, 2), states.narrow(0, 1, 1)));
  CHECK(row_error(found, states.view({1, 4, 2})) > 0.1);
}

TEST_CASE("comfy moves tokens away from the empty prompt's") {
  const PromptRows rows =
      prompt_rows(token_request(PromptSyntax::comfy, 7, weighted_tokens, plain_tokens), "tokenizer");
  const at::Tensor states = tensor({1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 2, 2}, {3, 2, 2});
  const at::Tensor expected = tensor({1, 2, 3, 4, 5, 6, 2 + 2 * 5, 2 + 2 * 6}, {2, 2, 2});
  const at::Tensor found = joined_context(states, rows);
  CHECK(row_error(found, expected) < 1e-6);
  CHECK(at::equal(found[0], states[0]));
}

TEST_CASE("weights of half precision states are applied in fp32, and come back in half") {
  const PromptRows rows =
      prompt_rows(token_request(PromptSyntax::comfy, 1, weighted_tokens, plain_tokens), "tokenizer");
  const at::Tensor states = tensor({1, 2, 3, 4, 1, 1, 2, 2}, {2, 2, 2}).to(at::kBFloat16);
  const at::Tensor found = joined_context(states, rows);
  CHECK(found.scalar_type() == at::kBFloat16);
  CHECK(row_error(found.to(at::kFloat), tensor({1, 2, 4, 6}, {1, 2, 2})) < 1e-6);
}

TEST_CASE("what is pooled comes from each prompt's first chunk") {
  const Tokens two = {plain_tokens.front(), weighted_tokens.front()};
  const PromptRows rows = prompt_rows(token_request(PromptSyntax::comfy, 7, two, two), "tokenizer");
  const at::Tensor pooled = tensor({1, 2, 3, 4, 5}, {5, 1});
  CHECK(at::equal(first_chunks(pooled, rows), tensor({1, 3}, {2, 1})));
}
