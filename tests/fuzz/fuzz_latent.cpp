#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "check_latent.hpp"

using namespace lapis::io;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<LatentHints> facts = test::latent_hints();
  const auto file = std::as_bytes(std::span(data, size));
  for (const LatentHints& hints : facts) test::check_latent(file, hints);
  return 0;
}
