#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "check_latent.hpp"

using namespace lapis::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<ToldFacts> facts = test::told_facts();
  const auto file = std::as_bytes(std::span(data, size));
  for (const ToldFacts& told : facts) test::check_latent(file, told);
  return 0;
}
