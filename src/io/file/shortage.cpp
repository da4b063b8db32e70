#include "io/file/shortage.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <fstream>
#include <link.h>
#include <memory>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sched.h>
#include <set>
#include <span>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <vector>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"

/// Of the dynamic loader: the address of a thread-local variable, by its library's number and its place there. Makes
/// those of that library if the calling thread has none yet.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" void* __tls_get_addr(unsigned long* index);

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

/// Thread-local data that the calling thread has not yet.
struct ThreadLocals {
  unsigned long library = 0;
  std::size_t bytes = 0;
};

/// Adds those of a library; not 0 where there is no room for it. The loader calls it, under a lock of its own.
int add_missing(dl_phdr_info* library, std::size_t /*size*/, void* missing) {
  if (library->dlpi_tls_modid == 0 || library->dlpi_tls_data != nullptr) return 0;
  for (const ElfW(Phdr) & part : std::span(library->dlpi_phdr, library->dlpi_phnum)) {
    if (part.p_type != PT_TLS) continue;
    try {
      static_cast<std::vector<ThreadLocals>*>(missing)->push_back(
          {library->dlpi_tls_modid, part.p_memsz + part.p_align});
    } catch (const std::bad_alloc&) {
      return 1;
    }
  }
  return 0;
}

}  // namespace

std::optional<std::uint64_t> free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

void restart_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";  // proc(5): the peak begins anew
}

std::optional<std::uint64_t> peak_memory() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "VmHWM:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

int physical_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    std::string siblings;
    if (!std::getline(file, siblings)) siblings = std::to_string(cpu);
    cores.insert(siblings);
  }
  return static_cast<int>(cores.size());
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

Error handled_error() {
  const auto internal = [](const std::exception& error) {
    return Error(ErrorKind::internal, core::sentence("internal error: {}", error.what()));
  };
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return memory_shortage();
  } catch (const std::system_error& error) {
    return shortage_of(error.code()).value_or(internal(error));
  } catch (const std::exception& error) {
    return internal(error);
  }
}

void check_threads(int count) {
  Waiting waiting;
  for (int made = 0; made < count; ++made) {
    if (waiting.add()) continue;
    if (!has_room_for_stack()) throw memory_shortage();
    throw thread_shortage(core::sentence("this takes up to {} threads, and the system gives {}", count, made));
  }
}

bool make_thread_locals() {
  // The loader's table of them, and the destructors that a thread registers with its first objects, which no lack of
  // memory may meet either. Less than what malloc gives back to the system when it is freed.
  constexpr std::size_t spare_bytes = 98304;
  std::vector<ThreadLocals> missing;
  if (::dl_iterate_phdr(add_missing, &missing) != 0) return false;
  if (missing.empty()) return true;
  // Kept between calls and free during them: another thread that takes all there is leaves the room that was found
  // here.
  static std::mutex one_at_a_time;
  static std::unique_ptr<unsigned char[]> reserve;
  const std::lock_guard lock(one_at_a_time);
  try {
    std::vector<std::unique_ptr<unsigned char[]>> room;
    for (const ThreadLocals& locals : missing) room.emplace_back(new unsigned char[locals.bytes]);
    room.emplace_back(new unsigned char[spare_bytes]);
    if (!reserve) reserve.reset(new unsigned char[spare_bytes]);
  } catch (const std::bad_alloc&) {
    return false;
  }
  reserve.reset();
  for (const ThreadLocals& locals : missing) {
    std::array<unsigned long, 2> index{locals.library, 0};
    __tls_get_addr(index.data());
  }
  reserve.reset(new (std::nothrow) unsigned char[spare_bytes]);
  return true;
}

}  // namespace lapis::io
