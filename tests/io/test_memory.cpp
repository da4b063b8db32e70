#include <catch2/catch.hpp>
#include <unistd.h>

#include "io/file/memory.hpp"

using namespace lapis;

TEST_CASE("free memory is some of the machine's, and not all") {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const std::uint64_t all = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::optional<std::uint64_t> free = io::free_memory();
  REQUIRE(free);
  CHECK(*free > 1'000'000);
  CHECK(*free < all);
}
