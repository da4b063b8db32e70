#include <catch2/catch.hpp>
#include <string>

#include "io/model/tokenizer_files.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;
using lapis::TokenizerFacts;

namespace {

/// A vocabulary of one letter, in a folder of its own.
class TokenizerFolder {
 public:
  TokenizerFacts facts() const { return {folder_ / "vocab.json", folder_ / "merges.txt", 5, 2, 3, 3}; }

  void write(const std::string& vocabulary, const std::string& merges = "") const {
    write_text(folder_ / "vocab.json", vocabulary);
    write_text(folder_ / "merges.txt", merges);
  }

 private:
  TemporaryFolder folder_;
};

const std::string letters = R"({"a":0,"a</w>":1,"<|startoftext|>":2,"<|endoftext|>":3})";

}  // namespace

TEST_CASE("a tokenizer is made from its two files") {
  const TokenizerFolder folder;
  folder.write(letters);
  CHECK(read_clip_tokenizer(folder.facts()).encode("a").ids == std::vector<std::int64_t>{2, 1, 3, 3, 3});
}

TEST_CASE("broken tokenizer files are errors of the model that name the file") {
  const TokenizerFolder folder;
  const auto check_refused = [&](const std::string& vocabulary, const std::vector<std::string>& parts) {
    folder.write(vocabulary);
    check_fails(ErrorKind::model, parts, [&] { read_clip_tokenizer(folder.facts()); });
  };
  check_refused("{", {"vocab.json", "is no JSON"});
  check_refused("[]", {"vocab.json", "expected an object"});
  check_refused(R"({"a":0,"a":1})", {"vocab.json", "twice"});
  check_refused(R"(3)", {"vocab.json", "expected an object"});
  check_refused(R"({"a":[0]})", {"vocab.json", "expected a whole number"});
  check_refused(R"({"a":{"b":0}})", {"vocab.json", "expected a whole number"});
  check_refused(R"({"a":4294967296})", {"vocab.json", "expected a whole number"});
  check_refused("{\"a\":0}" + std::string(1, '\0'), {"vocab.json", "NUL"});
  check_refused("{\"\xFF\":0}", {"vocab.json", "is no JSON"});
  check_refused(R"({"a":"0"})", {"vocab.json", "expected a whole number"});
  check_refused(R"({"a":-1})", {"vocab.json", "expected a whole number"});
  std::filesystem::remove(folder.facts().merges);
  check_fails(ErrorKind::model, {"merges.txt", "does not exist"}, [&] { read_clip_tokenizer(folder.facts()); });
}
