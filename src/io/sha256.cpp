#include "io/sha256.hpp"

#include <array>
#include <openssl/evp.h>
#include <string_view>

#include "io/mapped_file.hpp"

namespace lapis::io {

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorKind::internal, "libcrypto cannot compute a SHA-256 digest.");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    hex += digits[digest[i] >> 4U];
    hex += digits[digest[i] & 15U];
  }
  return hex;
}

std::string sha256_file(const std::filesystem::path& path, ErrorKind kind) {
  return sha256(MappedFile(path, kind).bytes());
}

}  // namespace lapis::io
