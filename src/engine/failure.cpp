#include "engine/failure.hpp"

#include <c10/util/Exception.h>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/text/sentence.hpp"
#include "io/file/shortage.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// The line of libtorch's text that says what happened: the last one of an interpreter's trace, else the first.
std::string gist(const std::string& text) {
  constexpr std::string_view mark = "RuntimeError: ";
  const std::size_t trace = text.rfind(mark);
  const std::string said = trace == std::string::npos ? text : text.substr(trace + mark.size());
  return said.substr(0, said.find('\n'));
}

enum class Lack { none, cpu, gpu };

/// What fails inside a graph arrives as a plain runtime_error with a trace, a lack of memory too: the text has to tell.
Lack lack_of(const std::string& text) {
  const bool of_cuda = text.find("CUDA") != std::string::npos;
  if (of_cuda && text.find("out of memory") != std::string::npos) return Lack::gpu;
  // The allocator's words, the system's, the C++ library's, and those of oneDNN, which says no more than this.
  for (const char* words : {"DefaultCPUAllocator", "allocate memory", "bad_alloc", "could not create a memory",
                            "could not create a primitive", "out of memory"}) {
    if (text.find(words) != std::string::npos) return Lack::cpu;
  }
  return Lack::none;
}

std::string text_of(const std::exception& error) {
  const auto* torch = dynamic_cast<const c10::Error*>(&error);
  return torch ? torch->what_without_backtrace() : error.what();
}

class Silence : public c10::WarningHandler {
 public:
  void process(const c10::Warning& /*warning*/) override {}
};

}  // namespace

c10::WarningHandler& silent_warnings() {
  static Silence silence;
  return silence;
}

std::string gist_of(const std::exception& error) { return gist(text_of(error)); }

bool is_lack_of_memory() {
  try {
    throw;
  } catch (const Error&) {
    return false;
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const std::exception& error) {
    return lack_of(text_of(error)) != Lack::none;
  }
}

bool is_lack_of_files() {
  try {
    throw;
  } catch (const std::exception& error) {
    return text_of(error).find("Too many open files") != std::string::npos;
  }
}

bool is_shortage() {
  try {
    throw;
  } catch (const std::system_error& error) {
    return io::shortage_of(error.code()).has_value();
  } catch (...) {
    return is_lack_of_memory();
  }
}

void rethrow_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const CallbackFailure& failure) {
    std::rethrow_exception(failure.thrown);
  } catch (const std::bad_alloc&) {
    throw io::memory_shortage();
  } catch (const std::system_error& error) {
    if (const std::optional<Error> shortage = io::shortage_of(error.code())) throw *shortage;
    throw Error(ErrorKind::internal, core::sentence("libtorch failed: {}", gist_of(error)));
  } catch (const std::exception& error) {
    switch (lack_of(text_of(error))) {
      case Lack::cpu: throw io::memory_shortage();
      case Lack::gpu:
        throw Error(
            ErrorKind::device, "too little memory of the GPU for this.",
            core::sentence("Make the picture smaller ({-width}, {-height}), use {dtype} fp16, or {device} cpu"));
      case Lack::none: throw Error(ErrorKind::internal, core::sentence("libtorch failed: {}", gist_of(error)));
    }
    throw;
  }
}

}  // namespace lapis::engine
