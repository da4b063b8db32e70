// Memory, cores and threads: what the system gives, and what to say where it gives none.
#pragma once

#include <cstdint>
#include <optional>
#include <system_error>

#include "lapis/error.hpp"

namespace lapis::io {

/// Bytes that the kernel says can be had without swapping; none where it does not say.
std::optional<std::uint64_t> free_memory();

/// From here on `peak_memory` is of what comes, where the kernel can (Linux 4.0).
void restart_peak_memory();

/// The most bytes that this process had in memory at once; none where the kernel does not say.
std::optional<std::uint64_t> peak_memory();

/// Cores this process may run on, hyper-threads of one core counted once: two of them share the units that matter here.
int physical_cores();

/// What to tell a person where memory ran out.
Error memory_shortage();

/// The exception that is being handled as an error: as it is, of what is short, or internal.
Error handled_error();

/// Error{device} for a code of the system that means that memory, or threads, ran out; none for any other.
std::optional<Error> shortage_of(const std::error_code& code);

/// Makes `count` threads that live at once, and lets them go. Throws Error{device} where that cannot be, with what to
/// set: libraries that need threads wait for ever for those that they did not get, or end the process.
void check_threads(int count);

/// Gives the calling thread its thread-local data of every library that is open, and says whether there was room. Those
/// of a library that was opened late are made at first use, where a lack of memory is no error: glibc ends the process.
bool make_thread_locals();

}  // namespace lapis::io
