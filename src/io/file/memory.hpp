// How much memory there is.
#pragma once

#include <cstdint>
#include <optional>

namespace lapis::io {

/// Bytes that the kernel says can be had without swapping; none where it does not say.
std::optional<std::uint64_t> free_memory();

}  // namespace lapis::io
