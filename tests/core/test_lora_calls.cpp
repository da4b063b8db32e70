#include <catch2/catch.hpp>
#include <string>

#include "core/checkpoint/lora_calls.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("an argument of loras is a file, and a weight behind its last colon") {
  CHECK(parse_lora_argument("a.safetensors") == LoraCall{"a.safetensors", {1, 1}});
  CHECK(parse_lora_argument("a.safetensors:0.8") == LoraCall{"a.safetensors", {0.8, 0.8}});
  CHECK(parse_lora_argument("a:-1.5") == LoraCall{"a", {-1.5, -1.5}});
  CHECK(parse_lora_argument("a:+2") == LoraCall{"a", {2, 2}});
  CHECK(parse_lora_argument("a:0") == LoraCall{"a", {0, 0}});
  CHECK(parse_lora_argument("c:/a:1:0.5") == LoraCall{"c:/a:1", {0.5, 0.5}});
  CHECK(parse_lora_argument("c:/a") == LoraCall{"c:/a", {1, 1}});
  CHECK(parse_lora_argument("a:") == LoraCall{"a:", {1, 1}});
  CHECK(parse_lora_argument("a:1x") == LoraCall{"a:1x", {1, 1}});
  for (const char* text : {"", ":1", "a:nan", "a:inf", "a:-inf", "a:1e999"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_lora_argument(text), Error);
  }
  CHECK(parse_lora_argument(lora_argument("style", -0.25)) == LoraCall{"style", {-0.25, -0.25}});
}

TEST_CASE("a tag is read as the web UI reads it") {
  CHECK(parse_lora_tag("style") == LoraCall{"style", {1, 1}});
  CHECK(parse_lora_tag("style:0.5") == LoraCall{"style", {0.5, 0.5}});
  CHECK(parse_lora_tag("style:0.5:0.25") == LoraCall{"style", {0.5, 0.25}});
  CHECK(parse_lora_tag("style:te=0.5:unet=2") == LoraCall{"style", {0.5, 2}});
  CHECK(parse_lora_tag("style:te=0.5:0.7") == LoraCall{"style", {0.5, 0.5}});
  CHECK(parse_lora_tag("style:0.7:0.2:te=0.5") == LoraCall{"style", {0.5, 0.2}});
  CHECK(parse_lora_tag("style:unet=2") == LoraCall{"style", {1, 2}});
  CHECK(parse_lora_tag("style:0.5:unet=2") == LoraCall{"style", {0.5, 2}});
  for (const char* text : {"", ":1", "a:x", "a:nan", "a:", "a:1:2:3", "a:dyn=4"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_lora_tag(text), Error);
  }
  CHECK(lora_tag("style", {0.5, 0.5}) == "<lora:style:0.5>");
  CHECK(lora_tag("style", {0.5, 1}) == "<lora:style:0.5:1>");
}

TEST_CASE("prompts call LoRAs in syntax a1111 alone") {
  const ParsedPrompt parsed =
      parse_prompt("a (red:1.2) house<lora:one:0.5>, snow <lyco:two> <hypernet:x:1>", PromptSyntax::a1111);
  CHECK(parsed.loras == std::vector<LoraCall>{{"one", {0.5, 0.5}}, {"two", {1, 1}}});
  std::string text;
  for (const PromptSegment& segment : parsed.segments) text += segment.text;
  CHECK(text == "a red house, snow  ");
  REQUIRE(parsed.warnings.size() == 1);
  CHECK_THAT(parsed.warnings.front(), Catch::Contains("<hypernet:...>"));
  CHECK_THROWS_WITH(parse_prompt("a <lora:one:much>", PromptSyntax::a1111),
                    Catch::Contains("column 3") && Catch::Contains("much"));
  for (const PromptSyntax syntax : {PromptSyntax::plain, PromptSyntax::comfy}) {
    const ParsedPrompt parsed_as_text = parse_prompt("a <lora:one:0.5>", syntax);
    CHECK(parsed_as_text.loras.empty());
    REQUIRE(parsed_as_text.warnings.size() == 1);
    CHECK_THAT(plain(parsed_as_text.warnings.front()),
               Catch::Contains("column 3") && Catch::Contains("prompt_syntax a1111"));
    CHECK(parse_prompt("a <lora>", syntax).warnings.empty());
  }
}
