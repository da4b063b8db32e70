// Deflated bytes, unpacked within a bound.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lapis::io {

/// What `packed`, a raw deflate stream as zip archives hold it (RFC 1951), unpacks to; none if it is damaged, ends
/// early, or is not `size` bytes long.
std::optional<std::string> inflated(std::string_view packed, std::size_t size);

/// What `packed`, a zlib stream as PNGs hold it (RFC 1950), unpacks to; none if it is damaged, ends early, or unpacks
/// to more than `limit` bytes.
std::optional<std::string> inflated_zlib(std::string_view packed, std::size_t limit);

}  // namespace lapis::io
