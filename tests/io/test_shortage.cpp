#include <catch2/catch.hpp>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "io/file/shortage.hpp"
#include "support.hpp"

using namespace lapis::io;
using lapis::ErrorKind;

TEST_CASE("errors of the system that mean a shortage are told by what is short") {
  const auto said = [](std::errc code) -> std::string {
    const auto error = shortage_of(std::make_error_code(code));
    if (!error) return "";
    CHECK(error->kind() == ErrorKind::device);
    return error->what();
  };
  CHECK(said(std::errc::not_enough_memory).find("memory") != std::string::npos);
  CHECK(said(std::errc::resource_unavailable_try_again).find("pids.max") != std::string::npos);
  CHECK(said(std::errc::permission_denied).empty());
}

TEST_CASE("what is thrown is told as what it is, short of or broken") {
  const auto told = [](const auto& thrown) {
    try {
      throw thrown;
    } catch (const std::exception&) {
      return handled_error();
    }
  };
  CHECK(told(std::bad_alloc()).kind() == ErrorKind::device);
  CHECK(told(std::system_error(std::make_error_code(std::errc::not_enough_memory))).kind() == ErrorKind::device);
  CHECK(told(std::system_error(std::make_error_code(std::errc::io_error))).kind() == ErrorKind::internal);
  CHECK(told(std::runtime_error("x")).problem() == "internal error: x");
  CHECK(told(lapis::Error(ErrorKind::usage, "y")).problem() == "y");
}

TEST_CASE("threads that can be had are had, and a limit is told with what to set") {
  CHECK_NOTHROW(check_threads(8));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit few{3, 3};
    // The superuser is not held to the limit.
    if (::geteuid() == 0 && ::setresuid(54321, 54321, 54321) != 0) ::_exit(2);
    if (::setrlimit(RLIMIT_NPROC, &few) != 0) ::_exit(3);
    const auto error = lapis::io::test::error_of([] { check_threads(64); });
    const std::string text = error ? error->what() : "";
    const bool hints = text.find("ulimit -u") != std::string::npos && text.find("64") != std::string::npos;
    ::_exit(hints && error->kind() == ErrorKind::device ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a thread with room for thread-local data gets them") {
  CHECK(make_thread_locals());
  std::thread([] { CHECK(make_thread_locals()); }).join();
}

TEST_CASE("free memory is some of the machine's, and not all") {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
  const std::uint64_t all = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::optional<std::uint64_t> free = free_memory();
  REQUIRE(free);
  CHECK(*free > 1'000'000);
  CHECK(*free < all);
}

TEST_CASE("the peak of memory rises with what is taken, and begins anew") {
  constexpr std::size_t taken = 64'000'000;
  restart_peak_memory();
  const std::uint64_t before = peak_memory().value();
  // Of the system itself: the sanitizers' allocator keeps what is freed.
  void* const room = ::mmap(nullptr, taken, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(room != MAP_FAILED);
  std::memset(room, 'x', taken);
  ::munmap(room, taken);
  CHECK(peak_memory().value() >= before + taken / 2);
  restart_peak_memory();
  CHECK(peak_memory().value() < before + taken / 2);
}
