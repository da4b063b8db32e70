#include <catch2/catch.hpp>
#include <string>

#include "io/file/sha256.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(sha256({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256(as_bytes("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(as_bytes(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("one bit changes the digest") { CHECK(sha256(as_bytes("abc")) != sha256(as_bytes("abb"))); }

TEST_CASE("a file has the digest of its bytes") {
  const TemporaryFolder folder;
  write_text(folder / "a", "abc");
  write_text(folder / "empty", "");
  CHECK(sha256_file(folder / "a", ErrorKind::model) == sha256(as_bytes("abc")));
  CHECK(sha256_file(folder / "empty", ErrorKind::model) == sha256({}));
  check_fails(ErrorKind::model, {"does not exist"}, [&] { sha256_file(folder / "b", ErrorKind::model); });
}
