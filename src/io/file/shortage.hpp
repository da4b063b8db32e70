// Memory and threads that the system does not give.
#pragma once

#include <optional>
#include <system_error>

#include "lapis/error.hpp"

namespace lapis::io {

/// What to tell a person where memory ran out.
Error memory_shortage();

/// Error{device} for a code of the system that means that memory, or threads, ran out; none for any other.
std::optional<Error> shortage_of(const std::error_code& code);

/// Makes `count` threads that live at once, and lets them go. Throws Error{device} where that cannot be, with what to
/// set: libraries that need threads wait for ever for those that they did not get, or end the process.
void check_threads(int count);

}  // namespace lapis::io
