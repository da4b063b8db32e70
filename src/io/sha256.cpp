#include "io/sha256.hpp"

#include <array>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string_view>

#include "io/mapped_file.hpp"

namespace lapis::io {

namespace {

/// The algorithm alone: libcrypto's configuration, messages and tables of names, which it sets up unless told not to,
/// take longer than a model folder takes to be read. Null where it cannot be had.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = [] {
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                            OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                        nullptr);
    return EVP_MD_fetch(nullptr, "SHA256", nullptr);
  }();
  return found;
}

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (algorithm() == nullptr ||
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, algorithm(), nullptr) != 1) {
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
