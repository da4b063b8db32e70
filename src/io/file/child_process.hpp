// A copy of this process that works beside it and is talked with in messages.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "io/file/file_descriptor.hpp"

namespace lapis::io {

/// Texts of any bytes, of which the receiver knows what each is.
using Message = std::vector<std::string>;

/// One end of a line between two processes.
class MessageLine {
 public:
  /// Takes a socket of a stream, which is closed with it.
  explicit MessageLine(int socket) : socket_(socket) {}

  /// Becomes readable when something comes.
  int descriptor() const { return socket_.number(); }

  /// Sends a message, waiting while the other side does not read. One to a process that is gone is lost.
  void send(const Message& message);

  /// The next message, waited for; none once the other side has ended its end.
  std::optional<Message> receive();

  /// A message that has come whole, without waiting for more than is there.
  std::optional<Message> received();

  /// Whether nothing will come from the other side but what has come.
  bool is_ended() const;

  /// Says that this side sends no more.
  void end();

 private:
  bool read_piece();

  FileDescriptor socket_;
  std::string unread_;
  bool is_over_ = false;
};

/// The copy. It shares the memory as it was, has no files open but the standard ones, is not ended by the signals by
/// which people end a program (its maker decides), and is killed when its maker is gone. Linux alone.
class ChildProcess {
 public:
  /// Makes a copy that does `work`, and then is no more: nothing that its maker would do at its end is done. To be made
  /// while no other thread runs. Throws Error{device} where the system gives no process.
  explicit ChildProcess(const std::function<void(MessageLine& to_maker)>& work);
  /// Kills the copy if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  MessageLine& line() { return line_; }

  /// Waits for its end, and tells of it: "SIGKILL ended it", "it ended with exit code 3".
  std::string end_text();

 private:
  explicit ChildProcess(std::array<int, 2> sockets, const std::function<void(MessageLine& to_maker)>& work);

  MessageLine line_;
  pid_t process_ = -1;
};

}  // namespace lapis::io
