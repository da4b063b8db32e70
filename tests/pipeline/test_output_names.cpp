#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

using namespace lapis;
using namespace lapis::pipeline;

using Names = std::vector<std::string>;

TEST_CASE("seed and index are filled in, as often as they stand there") {
  CHECK(picture_names("{seed}/{index}-{seed}.png", 40, 3) == Names{"40/0-40.png", "41/1-41.png", "42/2-42.png"});
}

TEST_CASE("a plain name is kept for one picture and numbered for more") {
  CHECK(picture_names("a.png", 7, 1) == Names{"a.png"});
  CHECK(picture_names("b/a.png", 7, 2) == Names{"b/a-0.png", "b/a-1.png"});
  CHECK(picture_names("b/a.PNG", 7, 2)[1] == "b/a-1.PNG");
  CHECK(picture_names("{seed}.png", ~std::uint64_t{0}, 1) == Names{"18446744073709551615.png"});
}

TEST_CASE("a folder gets the usual name, and another ending is told the right one") {
  CHECK(in_folder("pics/", "a.png") == "pics/a.png");
  CHECK(in_folder("/", "a.png") == "/a.png");
  CHECK(in_folder("pics.png", "a.png") == "pics.png");
  CHECK(in_folder("-", "a.png") == "-");
  CHECK(in_folder("/dev/stdout", "a.png") == "-");
  CHECK_THROWS_WITH(picture_names("my house", 7, 1), Catch::EndsWith("Type: output 'my house.png'"));
  CHECK_THROWS_WITH(picture_names("b/house.jpg", 7, 1), Catch::EndsWith("Type: output b/house.png"));
}

TEST_CASE("standard output has two names, and takes one picture") {
  CHECK(output_name("/dev/stdout") == "-");
  CHECK(output_name("./-") == "./-");
  CHECK(picture_names("-", 7, 1) == Names{"-"});
  CHECK(picture_names("/dev/stdout", 7, 1) == Names{"-"});
  CHECK_THROWS_AS(picture_names("-", 7, 2), Error);
}

TEST_CASE("devices are written to as they are") { CHECK(picture_names("/dev/null", 7, 1) == Names{"/dev/null"}); }

TEST_CASE("other words in braces, open braces and other formats are refused") {
  for (const char* pattern : {"{sed}.png", "{seed.png", "a.jpg", "a", "{}.png", "a{index}{x}.png"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(picture_names(pattern, 7, 1), Error);
  }
}

TEST_CASE("an open brace is told as one") {
  CHECK_THROWS_WITH(picture_names("{seed.png", 7, 1), Catch::Contains("a brace is opened and not closed"));
}

TEST_CASE("latents of pictures go into one file, or each into its own by index or name") {
  CHECK(latent_names("a.safetensors", {"x/lake.png", "hut.jpg"}) == Names{"a.safetensors"});
  CHECK(latent_names("out/{index}-{name}.latent", {"x/lake.png", "hut.jpg", "-"}) ==
        Names{"out/0-lake.latent", "out/1-hut.latent", "out/2-stdin.latent"});
  CHECK(latent_names("-", {"a.png", "b.png"}) == Names{"-"});
  CHECK(latent_stem("x/a.b.safetensors") == "a.b");
  CHECK(latent_stem("-") == "latent");
}

TEST_CASE("two pictures of one name do not share a file, and other words are refused") {
  CHECK_THROWS_AS(latent_names("{name}.safetensors", {"a/x.png", "b/x.png"}), Error);
  CHECK_NOTHROW(latent_names("{name}-{index}.safetensors", {"a/x.png", "b/x.png"}));
  CHECK_THROWS_AS(latent_names("{seed}.safetensors", {"a.png"}), Error);
}

TEST_CASE("a latent's format is the one that is named, or that its ending asks for, and no picture's") {
  CHECK(output_format("", "a.latent") == io::LatentFormat::comfy);
  CHECK(output_format("npy", "a.latent") == io::LatentFormat::npy);
  CHECK(output_format("", "a") == io::LatentFormat::lapis);
  CHECK_THROWS_WITH(output_format("", "a.PNG"), Catch::StartsWith("output a.PNG: this command writes a latent"));
  CHECK_THROWS_WITH(output_format("", "a.jpg", "latent"), Catch::StartsWith("latent a.jpg: this option writes"));
  CHECK_THROWS_AS(output_format("jpg", "a"), Error);
}

TEST_CASE("a picture is told by its ending, in any case") {
  CHECK(is_picture_name("out/a.png"));
  CHECK(is_picture_name("a.PNG"));
  CHECK_FALSE(is_picture_name("a.safetensors"));
  CHECK_FALSE(is_picture_name("png"));
}
