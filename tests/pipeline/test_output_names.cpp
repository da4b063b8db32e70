#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

using lapis::Error;
using lapis::pipeline::LatentNames;
using lapis::pipeline::OutputNames;

TEST_CASE("seed and index are filled in, as often as they stand there") {
  const OutputNames names("{seed}/{index}-{seed}.png", 40, 3);
  CHECK(names.name(0) == "40/0-40.png");
  CHECK(names.name(2) == "42/2-42.png");
}

TEST_CASE("a plain name is kept for one picture and numbered for more") {
  CHECK(OutputNames("a.png", 7, 1).name(0) == "a.png");
  CHECK(OutputNames("b/a.png", 7, 2).name(1) == "b/a-1.png");
  CHECK(OutputNames("b/a.PNG", 7, 2).name(1) == "b/a-1.PNG");
  CHECK(OutputNames("{seed}.png", ~std::uint64_t{0}, 1).name(0) == "18446744073709551615.png");
}

TEST_CASE("a folder gets the usual name, and another ending is told the right one") {
  CHECK(lapis::pipeline::in_folder("pics/", "a.png") == "pics/a.png");
  CHECK(lapis::pipeline::in_folder("/", "a.png") == "/a.png");
  CHECK(lapis::pipeline::in_folder("pics.png", "a.png") == "pics.png");
  CHECK(lapis::pipeline::in_folder("-", "a.png") == "-");
  CHECK_THROWS_WITH(OutputNames("my house", 7, 1), Catch::EndsWith("Type: output 'my house.png'"));
  CHECK_THROWS_WITH(OutputNames("b/house.jpg", 7, 1), Catch::EndsWith("Type: output b/house.png"));
}

TEST_CASE("standard output takes one picture") {
  CHECK(OutputNames("-", 7, 1).is_stdout());
  CHECK_FALSE(OutputNames("a.png", 7, 1).is_stdout());
  CHECK_THROWS_AS(OutputNames("-", 7, 2), Error);
}

TEST_CASE("other words in braces, open braces and other formats are refused") {
  for (const char* pattern : {"{sed}.png", "{seed.png", "a.jpg", "a", "{}.png", "a{index}{x}.png"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(OutputNames(pattern, 7, 1), Error);
  }
}

TEST_CASE("latents of pictures go into one file, or each into its own by index or name") {
  const LatentNames one("a.safetensors", {"x/lake.png", "hut.jpg"});
  CHECK(one.is_one_file());
  CHECK(one.files() == std::vector<std::string>{"a.safetensors"});
  const LatentNames each("out/{index}-{name}.latent", {"x/lake.png", "hut.jpg", "-"});
  CHECK_FALSE(each.is_one_file());
  CHECK(each.files() == std::vector<std::string>{"out/0-lake.latent", "out/1-hut.latent", "out/2-stdin.latent"});
  CHECK(LatentNames("-", {"a.png", "b.png"}).is_stdout());
}

TEST_CASE("two pictures of one name do not share a file, and other words are refused") {
  CHECK_THROWS_AS(LatentNames("{name}.safetensors", {"a/x.png", "b/x.png"}), Error);
  CHECK_NOTHROW(LatentNames("{name}-{index}.safetensors", {"a/x.png", "b/x.png"}));
  CHECK_THROWS_AS(LatentNames("{seed}.safetensors", {"a.png"}), Error);
}
