// The table of syntaxes and the two grammars, prompt_a1111.cpp and prompt_comfy.cpp, behind `parse_prompt`.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/prompt/prompt_syntax.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

using Segments = std::vector<PromptSegment>;

Segments a1111(std::string_view text) { return parse_prompt(text, PromptSyntax::a1111).segments; }
Segments comfy(std::string_view text) { return parse_prompt(text, PromptSyntax::comfy).segments; }

std::string warning(std::string_view text, PromptSyntax syntax) {
  const std::vector<std::string> warnings = parse_prompt(text, syntax).warnings;
  REQUIRE(warnings.size() == 1);
  return warnings.front();
}

std::string refusal(std::string_view text) {
  try {
    parse_prompt(text, PromptSyntax::a1111);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("syntaxes are found by name, whatever its case") {
  for (const PromptSyntaxRow& row : prompt_syntaxes()) {
    CHECK(find_prompt_syntax(row.name).syntax == row.syntax);
    CHECK(prompt_syntax_name(row.syntax) == row.name);
  }
  CHECK(find_prompt_syntax("ComfyUI").syntax == PromptSyntax::comfy);
  CHECK_THROWS_WITH(find_prompt_syntax("a111"), Catch::Contains("Did you mean \"a1111\"?"));
}

TEST_CASE("a plain prompt is its text, and says so where weights were meant") {
  CHECK(parse_prompt("a (b) [c] \\(", PromptSyntax::plain).segments == Segments{{"a (b) [c] \\(", 1, false}});
  CHECK(parse_prompt("a (b), at 10:30 (or so)", PromptSyntax::plain).warnings.empty());
  CHECK_THAT(warning("ein schöner (See:1.3)", PromptSyntax::plain), Catch::StartsWith("column 13: "));
}

TEST_CASE("a1111: brackets weigh, and weights multiply") {
  // The example of A1111's own documentation of this grammar.
  const Segments found = a1111("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).");
  const std::vector<std::string> texts = {"a ", "house", " ", "on", " a ", "hill", ", sun, ", "sky", "."};
  const std::vector<double> weights = {1.0, 1.573, 1.1, 1.0, 1.1, 0.55, 1.1, 1.4641, 1.1};
  REQUIRE(found.size() == texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(found[i].text == texts[i]);
    CHECK(found[i].weight == Approx(weights[i]).epsilon(1e-6));
  }
  CHECK(a1111("a (b: 1.3 )") == Segments{{"a ", 1, false}, {"b", 1.3F, false}});
  CHECK(a1111("(a:-.5)") == Segments{{"a", -0.5F, false}});
  CHECK(a1111("") == Segments{{"", 1, false}});
}

TEST_CASE("a1111: escaped brackets are characters") {
  CHECK(a1111("\\(a\\) \\[b\\] \\\\") == Segments{{"(a) [b] \\", 1, false}});
  CHECK(parse_prompt("\\(a\\)", PromptSyntax::a1111).warnings.empty());
  CHECK(a1111("a\\b") == Segments{{"ab", 1, false}});
  CHECK_THAT(warning("a\\b", PromptSyntax::a1111), Catch::StartsWith("column 2: a lone \\"));
}

TEST_CASE("a1111: BREAK ends a chunk, as a word of its own") {
  CHECK(a1111("a BREAK b") == Segments{{"a ", 1, false}, {" b", 1, true}});
  CHECK(a1111("a BREAK") == Segments{{"a ", 1, false}, {"", 1, true}});
  CHECK(a1111("BREAK a") == Segments{{"", 1, false}, {" a", 1, true}});
  CHECK(a1111("BREAKFAST OUTBREAK") == Segments{{"BREAKFAST OUTBREAK", 1, false}});
  CHECK_THAT(warning("(a BREAK b)", PromptSyntax::a1111), Catch::StartsWith("column 4: BREAK within brackets"));
}

TEST_CASE("a1111: brackets that do not balance keep their meaning, with the column in characters") {
  CHECK(a1111("a ( b") == Segments{{"a ", 1, false}, {" b", 1.1F, false}});
  CHECK_THAT(warning("ä ( b", PromptSyntax::a1111), Catch::StartsWith("column 3: ( is not closed"));
  CHECK(a1111("a ) b") == Segments{{"a ) b", 1, false}});
  CHECK_THAT(warning("a ) b", PromptSyntax::a1111), Catch::StartsWith("column 3: nothing is open"));
  CHECK(a1111("a:1.3) b") == Segments{{"a:1.3) b", 1, false}});
  CHECK_THAT(warning("a:1.3) b", PromptSyntax::a1111), Catch::StartsWith("column 2: nothing is open"));
  CHECK(a1111("(a:1,3) b") == Segments{{"a:1,3", 1.1F, false}, {" b", 1, false}});
  CHECK_THAT(warning("(a:1,3) b", PromptSyntax::a1111), Catch::StartsWith("column 3: this weight"));
  CHECK_THAT(warning("(a:1.2.3)", PromptSyntax::a1111), Catch::StartsWith("column 3: this weight"));
  CHECK_THAT(warning("one\ntwo ]", PromptSyntax::a1111), Catch::StartsWith("line 2, column 5: nothing is open"));
  CHECK(parse_prompt("(see: the 10:30 train)", PromptSyntax::a1111).warnings.empty());
}

TEST_CASE("a1111: what would make another picture is refused with its column") {
  CHECK_THAT(refusal("a [cat:dog:0.5]"), Catch::StartsWith("column 3: [from:to:when]"));
  CHECK_THAT(refusal("a [cat:10]"), Catch::StartsWith("column 3: "));
  CHECK_THAT(refusal("a [cat|dog]"), Catch::StartsWith("column 3: [a|b]"));
  CHECK_THAT(refusal("a cat AND a dog"), Catch::StartsWith("column 7: AND"));
  CHECK(refusal("a cat and SANDY | (10:30)").empty());
  CHECK_THAT(refusal(std::string(201, '(')), Catch::StartsWith("column 201: more than 200"));
  CHECK(refusal(std::string(200, '(')).empty());
}

TEST_CASE("a1111: extra networks are left out, and said") {
  CHECK(a1111("a <lora:detail:0.8>cat") == Segments{{"a cat", 1, false}});
  CHECK_THAT(warning("a <hypernet:detail:0.8>cat", PromptSyntax::a1111), Catch::StartsWith("column 3: <hypernet:"));
  CHECK(a1111("a <cat> < 3") == Segments{{"a <cat> < 3", 1, false}});
}

TEST_CASE("comfy: a weight replaces those around it, a bracket multiplies them") {
  CHECK(comfy("a (b) c") == Segments{{"a ", 1, false}, {"b", 1.1F, false}, {" c", 1, false}});
  CHECK(comfy("(a (b:1.2) c:1.5)") == Segments{{"a ", 1.5F, false}, {"b", 1.2F, false}, {" c", 1.5F, false}});
  CHECK(comfy("((a))") == Segments{{"a", static_cast<float>(1.1 * 1.1), false}});
  CHECK(comfy("[a] BREAK b") == Segments{{"[a] BREAK b", 1, false}});
  CHECK(comfy("(a:b)") == Segments{{"a:b", 1.1F, false}});
  CHECK(comfy("(:2)") == Segments{{":2", 1.1F, false}});
  CHECK(comfy("(a:nan) (b:inf)").front() == PromptSegment{"a:nan", 1.1F, false});
  CHECK(comfy("") == Segments{{"", 1, false}});
}

TEST_CASE("comfy: escapes are for round brackets alone") {
  CHECK(comfy("\\(a\\) \\[b \\\\") == Segments{{"(a) \\[b \\\\", 1, false}});
  CHECK(comfy("(a\\):1.2)") == Segments{{"a)", 1.2F, false}});
}

TEST_CASE("comfy: brackets that do not balance keep their meaning, with the column") {
  CHECK(comfy("a (b") == Segments{{"a ", 1, false}, {"(b", 1, false}});
  CHECK_THAT(warning("a (b", PromptSyntax::comfy), Catch::StartsWith("column 3: ( is not closed"));
  CHECK(comfy("a) (b)") == Segments{{"a) (b)", 1, false}});
  CHECK_THAT(warning("a) (b)", PromptSyntax::comfy), Catch::StartsWith("column 2: nothing is open"));
  CHECK_THROWS_WITH(comfy(std::string(201, '(')), Catch::StartsWith("column 201: more than 200"));
}

TEST_CASE("a prompt that is longer than any is refused, and of many warnings the rest is counted") {
  for (const PromptSyntax syntax : {PromptSyntax::plain, PromptSyntax::a1111, PromptSyntax::comfy}) {
    INFO(prompt_syntax_name(syntax));
    CHECK_NOTHROW(parse_prompt(std::string(longest_prompt, 'a'), syntax));
    CHECK_THROWS_WITH(parse_prompt(std::string(longest_prompt + 1, 'a'), syntax), Catch::Contains("50001 bytes"));
  }
  for (const PromptSyntax syntax : {PromptSyntax::a1111, PromptSyntax::comfy}) {
    const std::vector<std::string> warnings = parse_prompt(std::string(longest_prompt, ')'), syntax).warnings;
    REQUIRE(warnings.size() == most_prompt_warnings + 1);
    CHECK(warnings.back() == "and 49980 more warnings behind it");
    CHECK(parse_prompt(std::string(most_prompt_warnings, ')'), syntax).warnings.size() == most_prompt_warnings);
  }
}

TEST_CASE("no prompt of the longest takes long to read") {
  const auto repeated = [](const std::string& piece) {
    std::string text;
    while (text.size() + piece.size() <= longest_prompt) text += piece;
    return text;
  };
  for (const char* piece : {"(", "(a", ")", "(a)", "(a:1.1)", ":", "(:", ":1", "\\", "[a]", "<", "<a:", "<lora:a>",
                            "a:)", " BREAK ", "((a)b)", "(a:1", "( : 1", "\n"}) {
    for (const PromptSyntax syntax : {PromptSyntax::plain, PromptSyntax::a1111, PromptSyntax::comfy}) {
      INFO(piece << " in " << prompt_syntax_name(syntax));
      const auto start = std::chrono::steady_clock::now();
      try {
        const std::size_t segments = parse_prompt(repeated(piece), syntax).segments.size();
        CHECK(segments <= longest_prompt + 1);
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
      }
      CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
    }
  }
}
