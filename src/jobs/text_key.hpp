// Texts told apart without keeping them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lapis::jobs {

/// Half the SHA-256 of a text.
struct TextKey {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  bool operator==(const TextKey&) const = default;
};

struct TextKeyHash {
  std::size_t operator()(const TextKey& key) const { return key.first; }
};

TextKey text_key(std::string_view text);

}  // namespace lapis::jobs
