// SHA-256 digests.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "lapis/error.hpp"

namespace lapis::io {

/// The SHA-256 of `bytes` (FIPS 180-4) in 64 lower-case hex digits. Safe to call from many threads.
std::string sha256(std::span<const std::byte> bytes);

/// The SHA-256 of a file's bytes. Throws Error{kind} if it cannot be read.
std::string sha256_file(const std::filesystem::path& path, ErrorKind kind);

/// The SHA-256 of a file that is read piece by piece; none once `stop` is asked for, which is heeded within some
/// milliseconds.
std::optional<std::string> sha256_file(const std::filesystem::path& path, ErrorKind kind, const std::stop_token& stop);

}  // namespace lapis::io
