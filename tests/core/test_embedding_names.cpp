#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/prompt/embedding_names.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

const std::vector<std::string> embeddings = {"cat", "cat-toy", "EasyNegative", "v5"};

/// The pieces as "text|[name]|text", then "?unknown".
std::string split(std::string_view text, PromptSyntax syntax) {
  std::vector<std::string> unknown;
  std::string shown;
  for (const NamedPiece& piece : split_at_names(text, embeddings, syntax, unknown)) {
    shown += (shown.empty() ? "" : "|") + (piece.embedding ? "[" + embeddings[*piece.embedding] + "]" : piece.text);
  }
  for (const std::string& name : unknown) shown += "?" + name;
  return shown;
}

}  // namespace

TEST_CASE("a1111 calls an embedding by its name as a word") {
  CHECK(split("a cat, easynegative", PromptSyntax::a1111) == "a |[cat]|, |[EasyNegative]");
  CHECK(split("a cat-toy", PromptSyntax::a1111) == "a |[cat-toy]");
  CHECK(split("concatenate cats", PromptSyntax::a1111) == "concatenate cats");
  CHECK(split("\xC3\xA4"
              "cat cat\xC3\xA4",
              PromptSyntax::a1111) ==
        "\xC3\xA4"
        "cat cat\xC3\xA4");
  CHECK(split("2cat v55", PromptSyntax::a1111) == "2|[cat]|[v5]|5");
  CHECK(split("<cat>", PromptSyntax::a1111) == "<|[cat]|>");
}

TEST_CASE("plain calls it as diffusers does too, in angle brackets") {
  CHECK(split("a <cat-toy>!", PromptSyntax::plain) == "a |[cat-toy]|!");
  CHECK(split("<CAT><dog>", PromptSyntax::plain) == "[cat]|<dog>");
  CHECK(split("a cat", PromptSyntax::plain) == "a |[cat]");
}

TEST_CASE("comfy calls it by embedding:NAME at the beginning of a word") {
  CHECK(split("a cat, embedding:cat, dog", PromptSyntax::comfy) == "a cat, |[cat]|, dog");
  CHECK(split("embedding:cat-toy.safetensors\nembedding:v5 on", PromptSyntax::comfy) == "[cat-toy]|[v5]| on");
  CHECK(split("xembedding:cat", PromptSyntax::comfy) == "xembedding:cat");
  CHECK(split("a embedding:dog, b", PromptSyntax::comfy) == "a |, b?dog");
  CHECK(split("embedding:", PromptSyntax::comfy) == "?");
}

TEST_CASE("called names are listed once, in the order of the names") {
  const ParsedPrompt prompt = parse_prompt("v5 (cat) v5", PromptSyntax::a1111);
  CHECK(called_names(prompt, embeddings, PromptSyntax::a1111) == std::vector<std::size_t>{0, 3});
  CHECK(called_names(prompt, embeddings, PromptSyntax::comfy).empty());
}
