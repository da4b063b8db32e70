#include "io/file/base64.hpp"

#include <openssl/evp.h>

namespace lapis::io {

std::string base64(std::span<const std::byte> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // libcrypto ends it with a NUL
  const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), from, static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  const int pads = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const auto* const from = reinterpret_cast<const unsigned char*>(text.data());
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), from, static_cast<int>(text.size()));
  if (size < pads) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size - pads));
  if (base64(std::as_bytes(std::span(bytes))) != text) return std::nullopt;  // one spelling for each
  return bytes;
}

}  // namespace lapis::io
