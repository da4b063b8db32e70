#include "jobs/text_key.hpp"

#include <span>
#include <string>

#include "io/file/sha256.hpp"

namespace lapis::jobs {

TextKey text_key(std::string_view text) {
  constexpr int hex = 16;
  constexpr std::size_t digits = 16;  // of 64 bits
  const std::string sha256 = io::sha256(std::as_bytes(std::span(text)));
  return {std::stoull(sha256.substr(0, digits), nullptr, hex),
          std::stoull(sha256.substr(digits, digits), nullptr, hex)};
}

}  // namespace lapis::jobs
