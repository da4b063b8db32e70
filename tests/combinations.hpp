// Tests that go through every combination of their values.
#pragma once

#include <cstddef>
#include <vector>

namespace lapis::test {

#ifdef LAPIS_SANITIZED
inline constexpr std::size_t combination_stride = 8;
#else
inline constexpr std::size_t combination_stride = 1;
#endif

/// All of them. Under the sanitizers, which take ten times as long and watch memory, which no verdict depends on, every
/// eighth of them: the first, the second ... eight in turn, so that eight turns have them all.
template <class Combination>
std::vector<Combination> combinations_in(std::size_t turn, const std::vector<Combination>& all) {
  std::vector<Combination> taken;
  for (std::size_t i = turn % combination_stride; i < all.size(); i += combination_stride) taken.push_back(all[i]);
  return taken;
}

}  // namespace lapis::test
