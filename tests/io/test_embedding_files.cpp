#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <string>

#include "io/checkpoint/embedding_files.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/sha256.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

using Shapes = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;

/// A safetensors file of F32 tensors of these shapes, all numbers 0.
std::filesystem::path write_tensors(const TemporaryFolder& folder, const std::string& name, const Shapes& shapes) {
  const std::vector<std::byte> zeros(4096);
  Safetensors content;
  for (const auto& [key, shape] : shapes) {
    content.tensors[key] = {Dtype::f32, shape, std::span(zeros).first(tensor_bytes(Dtype::f32, shape).value())};
  }
  write_safetensors(folder / name, content, true);
  return folder / name;
}

/// Text encoders with tables of 100 rows, the first one 4 wide, the second one 6.
Model model_with(const TemporaryFolder& folder, bool two) {
  Model model;
  model.name = "small";
  model.family = two ? "sdxl" : "sd15";
  const auto first = write_tensors(folder, "one.weights", {{"bias", {4}}, {"a.token_embedding.weight", {100, 4}}});
  model.parts["text_encoder"] = {"graph.pt", {first}, {}, {}};
  model.tokenizers["tokenizer"].length = 12;
  if (!two) return model;
  const auto second = write_tensors(folder, "two.weights", {{"token_embedding.weight", {100, 6}}});
  model.parts["text_encoder_2"] = {"graph.pt", {second}, {}, {}};
  model.tokenizers["tokenizer_2"].length = 12;
  return model;
}

std::vector<EmbeddingFile> found(const std::vector<std::string>& arguments) { return find_embeddings(arguments); }

}  // namespace

TEST_CASE("an embedding is named after its file, or as the argument says") {
  const TemporaryFolder folder;
  const std::string file = write_tensors(folder, "glow.safetensors", {{"emb_params", {1, 4}}});
  CHECK(found({file}).front().name == "glow");
  CHECK(found({"shine=" + file}).front().name == "shine");
  CHECK(found({"<shine>=" + file}).front().name == "shine");
  CHECK(found({file}).front().asked);
  write_tensors(folder, "a=b.safetensors", {{"emb_params", {1, 4}}});
  CHECK(found({(folder / "a=b.safetensors").string()}).front().name == "a=b");
  const std::string loud = write_tensors(folder, "loud.SafeTensors", {{"emb_params", {1, 4}}});
  CHECK(found({loud}).front().name == "loud");
}

TEST_CASE("a folder gives every safetensors file that has a name for a prompt") {
  const TemporaryFolder folder;
  write_tensors(folder, "b.safetensors", {{"emb_params", {1, 4}}});
  write_tensors(folder, "a.safetensors", {{"emb_params", {1, 4}}});
  write_tensors(folder, "no word.safetensors", {{"emb_params", {1, 4}}});
  write_text(folder / "notes.txt", "");
  const std::vector<EmbeddingFile> files = found({folder.path().string()});
  REQUIRE(files.size() == 2);
  CHECK(files[0].name == "a");
  CHECK(files[1].name == "b");
  CHECK_FALSE(files[0].asked);
}

TEST_CASE("what is no embedding file is refused") {
  const TemporaryFolder folder;
  const std::string file = write_tensors(folder, "glow.safetensors", {{"emb_params", {1, 4}}});
  write_text(folder / "old.pt", "");
  check_fails(ErrorKind::input, {"none.safetensors"}, [&] { found({(folder / "none.safetensors").string()}); });
  check_fails(ErrorKind::input, {"old.pt", "safetensors"}, [&] { found({(folder / "old.pt").string()}); });
  check_fails(ErrorKind::usage, {"two words", "NAME=FILE"}, [&] { found({"two words=" + file}); });
  check_fails(ErrorKind::usage, {"NAME=FILE"}, [&] { found({"=" + file}); });
  check_fails(ErrorKind::usage, {"two embeddings", "GLOW"}, [&] { found({file, "GLOW=" + file}); });
}

TEST_CASE("rows get the ids behind the table, one embedding after the other") {
  const TemporaryFolder folder;
  Model model = model_with(folder, false);
  Attachments added;
  const auto one = write_tensors(folder, "one.safetensors", {{"emb_params", {2, 4}}});
  const auto two = write_tensors(folder, "two.safetensors", {{"<any-token>", {4}}});
  CHECK(add_embedding(model, added, {"one", one}).at("tokenizer").ids == std::vector<std::int64_t>{100, 101});
  CHECK(add_embedding(model, added, {"two", two}).at("tokenizer").ids == std::vector<std::int64_t>{102});
  const std::vector<AddedRows>& rows = added.of(PartKind::text_encoder).token_rows;
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].tensor == "emb_params");
  CHECK(rows[1].tensor == "<any-token>");
  CHECK(rows[1].rows == 1);
  CHECK(rows[1].sha256 == sha256_file(two, ErrorKind::input));
  CHECK(added.embeddings[1].name == "two");
  CHECK(added.embeddings[1].sha256 == sha256_file(two, ErrorKind::input));
}

TEST_CASE("two text encoders take a tensor each") {
  const TemporaryFolder folder;
  Model model = model_with(folder, true);
  Attachments added;
  const auto both = write_tensors(folder, "both.safetensors", {{"clip_g", {2, 6}}, {"clip_l", {2, 4}}});
  const auto ids = add_embedding(model, added, {"both", both});
  CHECK(ids.at("tokenizer").ids == ids.at("tokenizer_2").ids);
  CHECK(added.of(PartKind::text_encoder).token_rows.front().tensor == "clip_l");
  CHECK(added.of(PartKind::text_encoder_2).token_rows.front().tensor == "clip_g");
  const auto half = write_tensors(folder, "half.safetensors", {{"clip_l", {2, 4}}});
  check_fails(ErrorKind::incompatible, {"text_encoder_2", "clip_g"}, [&] {
    add_embedding(model, added, {"half", half});
  });
}

TEST_CASE("an embedding that does not fit its text encoder is refused with both sides") {
  const TemporaryFolder folder;
  Model model = model_with(folder, false);
  Attachments added;
  const auto check_refused = [&](const Shapes& shapes, ErrorKind kind, const std::vector<std::string>& parts) {
    const auto file = write_tensors(folder, "bad.safetensors", shapes);
    check_fails(kind, parts, [&] { add_embedding(model, added, {"bad", file}); });
  };
  check_refused({{"emb_params", {2, 6}}}, ErrorKind::incompatible, {"width 6", "width 4", "small", "sd15"});
  check_refused({{"emb_params", {11, 4}}}, ErrorKind::incompatible, {"11 vectors", "room for 10"});
  check_refused({{"emb_params", {1, 1, 4}}}, ErrorKind::input, {"emb_params", "[1, 1, 4]"});
  check_refused({{"emb_params", {0, 4}}}, ErrorKind::input, {"[0, 4]"});
  check_refused({{"a", {1, 4}}, {"b", {1, 4}}}, ErrorKind::incompatible, {"clip_l", "emb_params"});
  CHECK(added.embeddings.empty());
  model.parts.at("text_encoder").weights.clear();
  check_refused({{"emb_params", {1, 4}}}, ErrorKind::incompatible, {"in its graph"});
}

TEST_CASE("a damaged embedding is refused when it is checked and when it is added") {
  const TemporaryFolder folder;
  Model model = model_with(folder, false);
  Attachments added;
  const auto refused = [&](const std::filesystem::path& file, const std::vector<std::string>& parts) {
    check_fails(ErrorKind::input, parts, [&] { check_embedding({"bad", file}); });
    check_fails(ErrorKind::input, parts, [&] { add_embedding(model, added, {"bad", file}); });
  };
  check_embedding({"good", write_tensors(folder, "good.safetensors", {{"emb_params", {2, 4}}})});
  check_embedding({"good", write_tensors(folder, "both.safetensors", {{"clip_g", {2, 6}}, {"clip_l", {2, 4}}})});
  check_embedding({"wide", write_tensors(folder, "wide.safetensors", {{"emb_params", {2, 6}}})});

  std::vector<float> numbers(8);
  for (const float bad : {NAN, INFINITY}) {
    numbers[6] = bad;
    Safetensors content;
    content.tensors["emb_params"] = {Dtype::f32, {2, 4}, std::as_bytes(std::span(numbers))};
    write_safetensors(folder / "nan.safetensors", content, true);
    refused(folder / "nan.safetensors", {"nan.safetensors", "emb_params", "number 6", "vector 1, place 2"});
  }
  refused(write_tensors(folder, "deep.safetensors", {{"emb_params", {1, 1, 4}}}), {"[1, 1, 4]"});
  const std::string whole = read_text(folder / "good.safetensors");
  write_text(folder / "cut.safetensors", whole.substr(0, whole.size() - 4));
  refused(folder / "cut.safetensors", {"cut.safetensors"});
  check_fails(ErrorKind::input, {"none of its 2 tensors", "clip_l"}, [&] {
    check_embedding({"two", write_tensors(folder, "two.safetensors", {{"a", {1, 4}}, {"b", {1, 4}}})});
  });
  CHECK(added.embeddings.empty());
}
