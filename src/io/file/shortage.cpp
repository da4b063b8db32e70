#include "io/file/shortage.hpp"

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <vector>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"

namespace lapis::io {

namespace {

Error thread_shortage(const std::string& what) {
  return {ErrorKind::device, core::sentence("{}.", what),
          core::marked(
              "Take fewer ({-threads} 1), or raise the limit on processes and threads: ulimit -u, or pids.max of the "
              "container")};
}

/// Whether a thread's stack finds room: where it does not, glibc says EAGAIN, as it does where threads have run out.
bool has_room_for_stack() {
  constexpr std::size_t stack = std::size_t{9} << 20U;
  void* const room = ::mmap(nullptr, stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return false;
  ::munmap(room, stack);
  return true;
}

/// Threads that wait until all of them may end.
class Waiting {
 public:
  Waiting() { ::pthread_mutex_lock(&gate_); }
  ~Waiting() {
    ::pthread_mutex_unlock(&gate_);
    for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  bool add() {
    pthread_t thread{};
    if (::pthread_create(&thread, nullptr, wait, &gate_) != 0) return false;
    threads_.push_back(thread);
    return true;
  }

 private:
  static void* wait(void* gate) {
    ::pthread_mutex_lock(static_cast<pthread_mutex_t*>(gate));
    ::pthread_mutex_unlock(static_cast<pthread_mutex_t*>(gate));
    return nullptr;
  }

  pthread_mutex_t gate_ = PTHREAD_MUTEX_INITIALIZER;
  std::vector<pthread_t> threads_;
};

}  // namespace

std::optional<std::uint64_t> free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

Error memory_shortage() {
  return {ErrorKind::device, "too little memory for this.",
          core::marked("Make the picture smaller ({-width}, {-height}), end other programs, or raise the limit "
                       "(ulimit -v, or that of the container)")};
}

std::optional<Error> shortage_of(const std::error_code& code) {
  if (code == std::errc::not_enough_memory) return memory_shortage();
  if (code != std::errc::resource_unavailable_try_again) return std::nullopt;
  return has_room_for_stack() ? thread_shortage("no more threads can be made") : memory_shortage();
}

void check_threads(int count) {
  Waiting waiting;
  for (int made = 0; made < count; ++made) {
    if (waiting.add()) continue;
    if (!has_room_for_stack()) throw memory_shortage();
    throw thread_shortage(core::sentence("this takes up to {} threads, and the system gives {}", count, made));
  }
}

}  // namespace lapis::io
