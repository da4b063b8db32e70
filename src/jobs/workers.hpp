// Processes that do jobs side by side, handed out by this one.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/file/child_process.hpp"

namespace lapis::jobs {

/// Each is a copy of this process that gets messages and answers them, begun when there is work for it, and again where
/// it ended. A worker has one piece of work at a time.
class Workers {
 public:
  /// What a worker does until no more comes.
  using Work = std::function<void(io::MessageLine& to_maker)>;

  /// What came from a worker; where it ended, how, and its piece of work is lost.
  struct Heard {
    std::size_t worker = 0;
    io::Message message;
    std::string end;  ///< "SIGKILL ended it"
  };

  /// What a wait came to.
  struct News {
    std::vector<Heard> heard;
    bool can_read = false;  ///< what was awaited beside the workers
  };

  Workers(std::size_t count, Work work) : work_(std::move(work)), places_(count) {}

  /// One without work; none where all have some.
  std::optional<std::size_t> idle() const;

  /// Whether any has work.
  bool is_busy() const;

  /// Gives work to one without. Throws as `ChildProcess`.
  void give(std::size_t worker, const io::Message& message);

  /// Says that its piece of work is done.
  void free(std::size_t worker) { places_[worker].is_busy = false; }

  /// Waits until something comes from a worker, until `also` can be read, or until a signal comes, and says what came.
  News wait(std::optional<int> also = std::nullopt);

  /// Asks all to end what they do.
  void ask_to_end();

 private:
  struct Place {
    std::unique_ptr<io::ChildProcess> process;
    bool is_busy = false;
  };

  Work work_;
  std::vector<Place> places_;
};

}  // namespace lapis::jobs
