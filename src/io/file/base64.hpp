// Bytes as text (RFC 4648, section 4).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lapis::io {

/// `bytes`, fewer than 1,500,000,000, in base64 with padding, on one line.
std::string base64(std::span<const std::byte> bytes);

/// The bytes that `text` stands for; none where it is no base64 with padding.
std::optional<std::string> bytes_of_base64(std::string_view text);

}  // namespace lapis::io
