// Bytes as text (RFC 4648, section 4).
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lapis::io {

/// `bytes` in base64 with padding, on one line.
std::string base64(std::span<const std::byte> bytes);

}  // namespace lapis::io
