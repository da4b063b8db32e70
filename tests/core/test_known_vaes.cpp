#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "core/family/known_vaes.hpp"
#include "core/family/spaces.hpp"

using namespace lapis::core;

TEST_CASE("every published VAE has a known space, a digest of its own and a size") {
  std::set<std::string> digests;
  for (const KnownVae& row : known_vaes()) {
    INFO(row.name);
    CHECK(find_space(row.space) != nullptr);
    CHECK(row.bytes > 100'000'000);
    CHECK(row.sha256.size() == 64);
    CHECK(row.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(digests.insert(row.sha256).second);
  }
}
