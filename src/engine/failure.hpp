// What libtorch throws, in the words of lapis.
#pragma once

#include <c10/util/Exception.h>
#include <exception>
#include <string>

#include "io/file/shortage.hpp"

namespace lapis::engine {

/// What a function of the caller's threw: neither libtorch's nor the engine's.
struct CallbackFailure {
  std::exception_ptr thrown;
};

/// Calls a function of the caller's. What it throws becomes a `CallbackFailure`, which `guarded` gives back as it was.
template <class Callback, class... Arguments>
auto call_back(const Callback& callback, const Arguments&... arguments) {
  try {
    return callback(arguments...);
  } catch (...) {
    throw CallbackFailure{std::current_exception()};
  }
}

/// Throws the exception that is being handled again, as an `Error`: too little memory is Error{device} with what to do
/// about it, anything else of libtorch's Error{internal} with its first words. Of a `CallbackFailure` it throws what
/// the callback threw. To be called in a handler.
[[noreturn]] void rethrow_as_error();

/// The gist of what an exception says, in one line: libtorch's own words without its stack.
std::string gist_of(const std::exception& error);

/// True if the exception that is being handled says that memory ran out. To be called in a handler.
bool is_lack_of_memory();

/// Whether the exception that is being handled is libtorch's, about a file that it could not open because too many are
/// open already.
bool is_lack_of_files();

/// Whether the exception that is being handled says that memory ran out, or that no more files can be opened or threads
/// made.
bool is_shortage();

/// A handler of warnings that says nothing: a graph may warn with any text, and terminals obey some.
c10::WarningHandler& silent_warnings();

/// Runs `work` in a thread that has room for what libtorch keeps for it, lets no exception of libtorch's out, and no
/// warning onto the terminal.
template <class Work>
void guarded(const Work& work) {
  try {
    if (!io::make_thread_locals()) throw io::memory_shortage();
    const c10::WarningUtils::WarningHandlerGuard quiet(&silent_warnings());
    work();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace lapis::engine
