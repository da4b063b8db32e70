#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/prompt/clip_pieces.hpp"

using lapis::core::clip_pieces;
using Pieces = std::vector<std::string>;

TEST_CASE("contractions, letters, numbers and the rest are pieces; white space is dropped") {
  CHECK(clip_pieces("").empty());
  CHECK(clip_pieces(" \t\r\n").empty());
  CHECK(clip_pieces("A cat's 4k photo!!").size() == 7);
  CHECK(clip_pieces("You should've") == Pieces{"you", "should", "'ve"});
  CHECK(clip_pieces("he'LL 's'tis") == Pieces{"he", "'ll", "'s", "'t", "is"});
  CHECK(clip_pieces("1233") == Pieces{"1", "2", "3", "3"});
  CHECK(clip_pieces("(((a)") == Pieces{"(((", "a", ")"});
  CHECK(clip_pieces("a\u00a0b\u0085c\u3000d") == Pieces{"a", "b", "c", "d"});
  CHECK(clip_pieces("½²Ⅷ") == Pieces{"½", "²", "ⅷ"});
}

TEST_CASE("text is composed and lower-cased, each code point alone") {
  CHECK(clip_pieces("re\u0301sume\u0301") == Pieces{"r\u00e9sum\u00e9"});
  CHECK(clip_pieces("ΟΣ") == Pieces{"οσ"});
  CHECK(clip_pieces("İs") == Pieces{"i", "\u0307", "s"});
  CHECK(clip_pieces("猫と犬") == Pieces{"猫と犬"});
}

TEST_CASE("a special token spelled in capitals is text in three pieces") {
  CHECK(clip_pieces("<|EndOfText|>!") == Pieces{"<|", "endoftext", "|>", "!"});
  CHECK(clip_pieces("!<|EndOfText|>") == Pieces{"!<|", "endoftext", "|>"});
}
