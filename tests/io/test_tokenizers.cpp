#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "../folder.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/tokenizers.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;
using lapis::TokenizerFacts;

namespace fs = std::filesystem;

namespace {

/// A vocabulary in which "a" as a word is `id`, which has one digit.
std::string one_letter(int id) {
  return R"({"a":0,"b":1,"a</w>":)" + std::to_string(id) + R"(,"<|startoftext|>":8,"<|endoftext|>":9})";
}

/// A tokenizer whose files are written into `folder`: "a" is 2, and nothing is merged.
TokenizerFacts written_into(const TemporaryFolder& folder) {
  write_text(folder / "vocab.json", one_letter(2));
  write_text(folder / "merges.txt", "");
  return {folder / "vocab.json", folder / "merges.txt", 5, 8, 9, 9};
}

std::int64_t id_of_a(const PromptTokenizer& tokenizer) { return tokenizer.tokens("a").at(0).id; }

/// Another time of change than a file has, in whose tick nobody wrote it.
void move_time(const fs::path& file) { fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1)); }

}  // namespace

TEST_CASE("a tokenizer is read once for all who ask for it") {
  const lapis::Model model = read_model(lapis::test::models() / "tiny-flux");
  Tokenizers tokenizers;
  std::vector<std::shared_ptr<const PromptTokenizer>> first;
  for (const auto& [name, facts] : model.tokenizers) first.push_back(tokenizers.of(facts));
  REQUIRE(first.size() == 2);
  CHECK(first[0] != first[1]);
  auto known = first.begin();
  for (const auto& [name, facts] : model.tokenizers) {
    CHECK(tokenizers.of(facts) == *known++);
    TokenizerFacts shorter = facts;
    shorter.length = 10;
    CHECK(tokenizers.of(shorter)->frame.length == 10);  // of the same files
    CHECK(tokenizers.of(facts)->frame.length != 10);
  }
}

TEST_CASE("a tokenizer whose files changed is read again, however they changed") {
  const TemporaryFolder folder;
  const TokenizerFacts facts = written_into(folder);
  Tokenizers tokenizers;
  const auto first = tokenizers.of(facts);
  CHECK(id_of_a(*first) == 2);
  CHECK(tokenizers.of(facts) == first);

  write_text(facts.vocabulary, one_letter(3));  // in its place, of the same size
  move_time(facts.vocabulary);
  CHECK(id_of_a(*tokenizers.of(facts)) == 3);
  write_text(facts.vocabulary, one_letter(4) + " ");
  CHECK(id_of_a(*tokenizers.of(facts)) == 4);

  const fs::file_time_type time = fs::last_write_time(facts.vocabulary);
  write_text(folder / "new.json", one_letter(5) + " ");  // another file under its name, of the same size and time
  fs::last_write_time(folder / "new.json", time);
  fs::rename(folder / "new.json", facts.vocabulary);
  CHECK(id_of_a(*tokenizers.of(facts)) == 5);

  write_text(folder / "linked.json", one_letter(6) + " ");
  fs::remove(facts.vocabulary);
  fs::create_symlink(folder / "linked.json", facts.vocabulary);
  CHECK(id_of_a(*tokenizers.of(facts)) == 6);
  write_text(folder / "linked.json", one_letter(7));  // behind the link
  CHECK(id_of_a(*tokenizers.of(facts)) == 7);

  const auto before = tokenizers.of(facts);
  CHECK(before->tokens("ba").size() == 2);
  write_text(facts.merges, "#version\nb a</w>\n");  // the second file
  check_fails(ErrorKind::model, {"ba</w>"}, [&] { tokenizers.of(facts); });
  write_text(facts.merges, "");
  CHECK(id_of_a(*tokenizers.of(facts)) == 7);
  CHECK(id_of_a(*first) == 2);  // whoever has it keeps it
}

TEST_CASE("a tokenizer whose files are gone or broken is refused each time, until they are mended") {
  const TemporaryFolder folder;
  const TokenizerFacts facts = written_into(folder);
  Tokenizers tokenizers;
  const auto first = tokenizers.of(facts);
  fs::rename(facts.merges, folder / "elsewhere.txt");
  for (int i = 0; i < 2; ++i) {
    check_fails(ErrorKind::model, {"merges.txt", "does not exist"}, [&] { tokenizers.of(facts); });
  }
  fs::rename(folder / "elsewhere.txt", facts.merges);
  CHECK(id_of_a(*tokenizers.of(facts)) == 2);
  write_text(facts.vocabulary, "{");
  for (int i = 0; i < 2; ++i) check_fails(ErrorKind::model, {"vocab.json"}, [&] { tokenizers.of(facts); });
  write_text(facts.vocabulary, one_letter(2));
  CHECK(id_of_a(*tokenizers.of(facts)) == 2);
}

TEST_CASE("of many tokenizers those that were asked for last stay") {
  const TemporaryFolder folder;
  TokenizerFacts facts = written_into(folder);
  Tokenizers tokenizers;
  const auto of_length = [&](int length) {
    facts.length = length;
    return tokenizers.of(facts);
  };
  const auto first = of_length(3);
  const auto second = of_length(4);
  for (int length = 5; length <= 10; ++length) of_length(length);
  CHECK(of_length(3) == first);  // eight are known, and now the second is the oldest
  of_length(11);
  CHECK(of_length(3) == first);
  CHECK(of_length(4) != second);
}
