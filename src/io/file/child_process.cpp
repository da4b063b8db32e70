#include "io/file/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t number_size = sizeof(std::uint32_t);

[[noreturn]] void fail_to_begin(int error_number) {
  throw Error(ErrorKind::device,
              core::sentence("no process can be made to work beside this one: {}", system_reason(error_number)),
              "Let fewer work side by side");
}

std::array<int, 2> new_sockets() {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) fail_to_begin(errno);
  return sockets;
}

void add_number(std::string& bytes, std::size_t number) {
  const auto whole = static_cast<std::uint32_t>(number);
  bytes.append(reinterpret_cast<const char*>(&whole), number_size);
}

/// The number at `place`, which moves behind it; none where the bytes end before.
std::optional<std::uint32_t> number_at(const std::string& bytes, std::size_t& place) {
  if (bytes.size() - place < number_size) return std::nullopt;
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + place, number_size);
  place += number_size;
  return number;
}

/// Takes a whole message from the front of `bytes`: how many texts, then of each its length and its bytes.
std::optional<Message> taken_message(std::string& bytes) {
  std::size_t place = 0;
  const auto count = number_at(bytes, place);
  if (!count) return std::nullopt;
  Message message;
  while (message.size() < *count) {
    const auto size = number_at(bytes, place);
    if (!size || bytes.size() - place < *size) return std::nullopt;
    message.push_back(bytes.substr(place, *size));
    place += *size;
  }
  bytes.erase(0, place);
  return message;
}

/// What makes a copy of its maker's a process of its own.
void settle_in_child(pid_t maker, int socket) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(signal, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != maker) ::_exit(0);
  const auto kept = static_cast<unsigned>(socket);
  if (kept > 3) ::close_range(3, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
}

}  // namespace

void MessageLine::send(const Message& message) {
  std::string bytes;
  add_number(bytes, message.size());
  for (const std::string& text : message) {
    add_number(bytes, text.size());
    bytes += text;
  }
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t more = ::send(socket_.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (more < 0 && errno != EINTR) return;
    sent += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
  }
}

/// Waits for bytes; false at the end.
bool MessageLine::read_piece() {
  std::array<char, 1 << 16> piece{};
  ssize_t count = -1;
  do {
    count = ::read(socket_.number(), piece.data(), piece.size());
  } while (count < 0 && errno == EINTR);
  is_over_ = count <= 0;
  if (!is_over_) unread_.append(piece.data(), static_cast<std::size_t>(count));
  return !is_over_;
}

std::optional<Message> MessageLine::receive() {
  for (;;) {
    if (std::optional<Message> message = taken_message(unread_)) return message;
    if (!read_piece()) return std::nullopt;
  }
}

std::optional<Message> MessageLine::received() {
  for (;;) {
    if (std::optional<Message> message = taken_message(unread_)) return message;
    pollfd waiting{socket_.number(), POLLIN, 0};
    if (is_over_ || ::poll(&waiting, 1, 0) <= 0 || !read_piece()) return std::nullopt;
  }
}

bool MessageLine::is_ended() const {
  if (is_over_) return true;
  pollfd end{socket_.number(), POLLRDHUP, 0};
  return ::poll(&end, 1, 0) > 0;
}

void MessageLine::end() { ::shutdown(socket_.number(), SHUT_WR); }

ChildProcess::ChildProcess(const std::function<void(MessageLine&)>& work) : ChildProcess(new_sockets(), work) {}

ChildProcess::ChildProcess(std::array<int, 2> sockets, const std::function<void(MessageLine&)>& work)
    : line_(sockets[0]) {
  MessageLine to_maker(sockets[1]);
  const pid_t maker = ::getpid();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // the copy is not to do what its maker does at a signal
  process_ = ::fork();
  const int error_number = errno;
  if (process_ == 0) settle_in_child(maker, sockets[1]);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process_ < 0) fail_to_begin(error_number);
  if (process_ != 0) return;
  int code = 0;
  try {
    work(to_maker);
  } catch (...) {
    code = exit_code(ErrorKind::internal);
  }
  ::_exit(code);
}

ChildProcess::~ChildProcess() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  end_text();
}

std::string ChildProcess::end_text() {
  int status = 0;
  pid_t ended = -1;
  do {
    ended = ::waitpid(process_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  process_ = -1;
  if (ended > 0 && WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    return name == nullptr ? "a signal ended it" : core::sentence("SIG{} ended it", name);
  }
  return core::sentence("it ended with exit code {}", WEXITSTATUS(status));
}

}  // namespace lapis::io
