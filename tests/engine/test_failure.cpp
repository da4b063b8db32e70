#include <c10/util/Exception.h>
#include <catch2/catch.hpp>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "engine/failure.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

template <class Thrown>
Error caught(const Thrown& thrown) {
  try {
    guarded([&] { throw thrown; });
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

/// What a question about the exception that is being handled is answered with.
template <class Thrown>
bool answered(bool (*question)(), const Thrown& thrown) {
  try {
    throw thrown;
  } catch (...) {
    return question();
  }
}

const std::runtime_error in_a_graph("The following operation failed.\nRuntimeError: sizes do not match\nmore");
const std::runtime_error no_memory("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory");
const std::runtime_error no_gpu_memory("CUDA out of memory. Tried to allocate 2.00 GiB");

}  // namespace

TEST_CASE("errors of lapis pass as they are, libtorch's are told apart") {
  CHECK(caught(Error(ErrorKind::numeric, "NaN")).kind() == ErrorKind::numeric);
  CHECK(caught(in_a_graph).kind() == ErrorKind::internal);
  CHECK(std::string(caught(in_a_graph).what()) == "libtorch failed: sizes do not match");
  CHECK(caught(no_memory).kind() == ErrorKind::device);
  CHECK(caught(std::bad_alloc()).kind() == ErrorKind::device);
  const auto no_thread = std::make_error_code(std::errc::resource_unavailable_try_again);
  CHECK(caught(std::system_error(no_thread)).kind() == ErrorKind::device);
  for (const char* text : {"CUDA out of memory. Tried to allocate 2.00 GiB", "CUDA error: out of memory"}) {
    CHECK(caught(std::runtime_error(text)).advice().find("dtype fp16") != std::string::npos);
  }
}

TEST_CASE("what a callback throws is no failure of libtorch's, whatever its text says") {
  const auto throws = [](const auto& thrown) { return [thrown] { call_back([&](int) { throw thrown; }, 1); }; };
  CHECK_THROWS_WITH(guarded(throws(no_memory)), no_memory.what());
  CHECK_THROWS_AS(guarded(throws(42)), int);
  CHECK_THROWS_WITH(guarded(throws(Error(ErrorKind::numeric, "mine"))), "mine");
  CHECK(call_back([](int a, int b) { return a + b; }, 1, 2) == 3);
}

TEST_CASE("a lack of memory is known as one") {
  CHECK(answered(is_lack_of_memory, std::bad_alloc()));
  CHECK(answered(is_lack_of_memory, no_memory));
  CHECK(answered(is_lack_of_memory, no_gpu_memory));
  for (const char* text : {"could not create a primitive", "std::bad_alloc", "mmap: Cannot allocate memory"}) {
    CHECK(answered(is_lack_of_memory, std::runtime_error(text)));
  }
  CHECK_FALSE(answered(is_lack_of_memory, in_a_graph));
  CHECK_FALSE(answered(is_lack_of_memory, Error(ErrorKind::device, "CUDA out of memory")));
}

TEST_CASE("a lack of threads is a shortage, and no lack of memory") {
  const std::system_error no_thread(std::make_error_code(std::errc::resource_unavailable_try_again));
  CHECK(answered(is_shortage, no_thread));
  CHECK_FALSE(answered(is_lack_of_memory, no_thread));
  CHECK(answered(is_shortage, no_memory));
  CHECK_FALSE(answered(is_shortage, in_a_graph));
  CHECK_FALSE(answered(is_shortage, std::system_error(std::make_error_code(std::errc::io_error))));
}

TEST_CASE("no warning of libtorch's reaches the terminal") {
  c10::WarningHandler* const outside = c10::WarningUtils::get_warning_handler();
  guarded([&] {
    CHECK(c10::WarningUtils::get_warning_handler() == &silent_warnings());
    CHECK(c10::WarningUtils::get_warning_handler() != outside);
    TORCH_WARN("a text that a graph chose");
  });
  CHECK(c10::WarningUtils::get_warning_handler() == outside);
}
