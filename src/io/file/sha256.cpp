#include "io/file/sha256.hpp"

#include <array>
#include <fstream>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string_view>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/shortage.hpp"

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

/// Memory is all that libcrypto can lack for a digest.
[[noreturn]] void fail() { throw memory_shortage(); }

std::string hex_of(std::span<const unsigned char> digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  return hex;
}

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (algorithm() == nullptr ||
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, algorithm(), nullptr) != 1) {
    fail();
  }
  return hex_of(std::span(digest).first(length));
}

std::string sha256_file(const std::filesystem::path& path, ErrorKind kind) {
  return sha256(MappedFile(path, kind).bytes());
}

std::optional<std::string> sha256_file(const std::filesystem::path& path, ErrorKind kind, const std::stop_token& stop) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(kind, core::sentence("{} cannot be read.", path.string()));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!context || algorithm() == nullptr || EVP_DigestInit_ex(context.get(), algorithm(), nullptr) != 1) fail();
  std::vector<char> piece(1U << 20U);
  while (file && !stop.stop_requested()) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (EVP_DigestUpdate(context.get(), piece.data(), static_cast<std::size_t>(file.gcount())) != 1) fail();
  }
  if (file.bad()) throw Error(kind, core::sentence("{} cannot be read to its end.", path.string()));
  if (stop.stop_requested()) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_DigestFinal_ex(context.get(), digest.data(), &length) != 1) fail();
  return hex_of(std::span(digest).first(length));
}

}  // namespace lapis::io
