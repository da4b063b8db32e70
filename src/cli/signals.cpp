#include "cli/signals.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <unistd.h>

#include "cli/terminal.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/mapped_file.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

/// Those that end a program unless it says otherwise, and come from outside of it; SIGPIPE from a reader that has
/// enough.
constexpr std::array ending_signals = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2, SIGPIPE};

using Handler = void (*)(int, siginfo_t*, void*);

std::atomic<bool> steps_under_way = false;
std::atomic<int> asked_signal = 0;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

/// Functions below this line run within a signal: they allocate nothing and lock nothing.
[[noreturn]] void die_by(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t itself;
  sigemptyset(&itself);
  sigaddset(&itself, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &itself, nullptr);
  std::raise(signal);
  ::_exit(128 + signal);
}

/// Whether a signal is the first to ask for the end of a run that has steps to end after.
bool only_asks(int signal) {
  int none = 0;
  return (signal == SIGINT || signal == SIGTERM) && steps_under_way &&
         asked_signal.compare_exchange_strong(none, signal);
}

void end_on_signal(int signal, siginfo_t* /*from*/, void* /*context*/) {
  if (only_asks(signal)) {
    const int number = errno;
    break_line_now();
    print_now(asked_signal_name());
    print_now(": the run ends after this step; a second signal ends it at once\n");
    errno = number;
    return;
  }
  io::remove_pending_files();
  break_line_now();  // after a progress bar
  die_by(signal);
}

/// The end of a mapping that has lost its file's bytes. Whatever else raises this signal is a bug of lapis.
void end_on_lost_bytes(int signal, siginfo_t* from, void* /*context*/) {
  io::remove_pending_files();
  std::array<char, 4096> path{};
  const std::string_view name = io::mapped_path(from->si_addr, path);
  if (name.empty()) die_by(signal);
  break_line_now();
  print_error_now(name, " lost bytes while it was used: it was cut short, or is being written anew.",
                  "Wait until it is whole, or fetch it again; then run this again");
  ::_exit(exit_code(ErrorKind::model));
}

void handle(int signal, Handler handler) {
  struct sigaction action {};
  if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) return;
  action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigfillset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

void set_signals() {
  for (const int signal : ending_signals) handle(signal, end_on_signal);
  handle(SIGBUS, end_on_lost_bytes);
  std::signal(SIGXFSZ, SIG_IGN);
}

void end_after_step(bool may) { steps_under_way = may; }

bool is_asked_to_end() { return asked_signal != 0; }

std::string_view asked_signal_name() { return asked_signal == SIGTERM ? "SIGTERM" : "SIGINT"; }

void end_by_asked_signal() {
  flush_output();
  io::remove_pending_files();
  die_by(asked_signal);
}

}  // namespace lapis::cli
