#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/prompt/prompt_words.hpp"
#include "core/text/sentence.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

const std::vector<std::string> taught_words = {"a", "and", "house", "red", "in", "snow"};
const std::vector<std::string> callable_names = {"glow", "night-style"};

std::string words_in(std::string_view text) { return joined(prompt_words(text), " "); }

/// The words of a prompt and a negative prompt that are not known.
std::string unknown_in(const std::string& prompt, PromptSyntax syntax = PromptSyntax::plain,
                       const std::string& negative = "") {
  const ParsedPrompt first = parse_prompt(prompt, syntax);
  const ParsedPrompt second = parse_prompt(negative, syntax);
  const std::vector<const ParsedPrompt*> both = {&first, &second};
  return joined(unknown_words(both, syntax, callable_names, taught_words), " ");
}

}  // namespace

TEST_CASE("words are runs of letters and digits in lower case") {
  CHECK(words_in("").empty());
  CHECK(words_in(" ,.!? ()[]{}<>:|\\ -- ' \n\t").empty());
  CHECK(words_in("A Red HOUSE") == "a red house");
  CHECK(words_in("snow-covered, half\u2013timbered") == "snow covered half timbered");
  CHECK(words_in("don't o\u2019clock 's") == "don t o clock s");
  CHECK(words_in("4k, 8K, R2D2, 1.5") == "4k 8k r2d2 1 5");
  CHECK(words_in("1girl, solo,long_hair, red_house") == "1girl solo long hair red house");
  CHECK(words_in("<|endoftext|>") == "endoftext");
}

TEST_CASE("words of other scripts are words, however their letters are composed") {
  CHECK(words_in("CAF\u00C9 Caf\u00E9 cafe\u0301") == "caf\u00E9 caf\u00E9 caf\u00E9");
  CHECK(words_in("STRASSE Stra\u00DFe") == "strasse stra\u00DFe");
  CHECK(words_in("\u039F\u0394\u039F\u03A3") == "\u03BF\u03B4\u03BF\u03C3");  // a final sigma is an ordinary one
  CHECK(words_in("\u0130zmir") == "i\u0307zmir");
  CHECK(words_in("\u8D64\u3044\u5BB6\u3001\u96EA") == "\u8D64\u3044\u5BB6 \u96EA");
  CHECK(words_in("\u0939\u093F\u0928\u094D\u0926\u0940 a") == "\u0939\u093F\u0928\u094D\u0926\u0940 a");  // with marks
  CHECK(words_in("\U0001F600\uFE0F red") == "red");
  CHECK(words_in("\u0661\u0662 x\u00B2") == "\u0661\u0662 x\u00B2");
}

TEST_CASE("unknown words come once, in order, of both prompts") {
  CHECK(unknown_in("A red house").empty());
  CHECK(unknown_in("").empty());
  CHECK(unknown_in("a Cat, a red cat and a bicycle, CAT") == "cat bicycle");
  CHECK(unknown_in("a dog", PromptSyntax::plain, "blurry dog in fog") == "dog blurry fog");
  CHECK(unknown_in("houses") == "houses");
}

TEST_CASE("weights, breaks and calls are no words, in the syntax that has them") {
  CHECK(unknown_in("a (red:1.2) [house] ((in)) \\(snow\\)", PromptSyntax::a1111).empty());
  CHECK(unknown_in("a (red:1.2) house", PromptSyntax::comfy).empty());
  CHECK(unknown_in("a (red:1.2) house", PromptSyntax::plain) == "1 2");  // text there
  CHECK(unknown_in("a BREAK house", PromptSyntax::a1111).empty());
  CHECK(unknown_in("a BREAK house", PromptSyntax::comfy) == "break");
  CHECK(unknown_in("a house <lora:ink:0.5>", PromptSyntax::a1111, "<lora:fog:1>").empty());
  CHECK(unknown_in("a house <hypernet:ink:0.5>", PromptSyntax::a1111).empty());
  CHECK(unknown_in("a house <lora:ink:0.5>", PromptSyntax::comfy) == "lora ink 0 5");
  CHECK(unknown_in("a (cat:1.5) in (fog)", PromptSyntax::a1111) == "cat fog");
}

TEST_CASE("names of embeddings are no words where they are called") {
  CHECK(unknown_in("a Glow house, night-style").empty());
  CHECK(unknown_in("a <glow> house").empty());
  CHECK(unknown_in("glow, (night-style:1.1) fog", PromptSyntax::a1111) == "fog");
  CHECK(unknown_in("a glow", PromptSyntax::comfy) == "glow");
  CHECK(unknown_in("a embedding:glow, embedding:night-style.safetensors house", PromptSyntax::comfy).empty());
  CHECK(unknown_in("a embedding:none, fog", PromptSyntax::comfy) == "fog");  // another warning has the name
  CHECK(unknown_in("glowing night") == "glowing night");
}
