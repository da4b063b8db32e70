// How far a render is, for a person at a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "pipeline/events.hpp"

namespace lapis::cli {

/// A one-line bar on stderr with seconds a step and time left, as long as the terminal is wide. Silent when stderr is
/// no terminal, when TERM is "dumb", or when all is to be quiet.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int done, int all);

  /// Takes the line away, so that other text can be printed.
  void clear();

 private:
  bool shown_;
  std::size_t drawn_ = 0;  ///< characters of the line that stands there
  std::chrono::steady_clock::time_point start_;
};

/// What is told on the way, on stderr: notes, warnings, and steps by `progress`, which must live as long.
Events listener(Progress& progress);

/// The text of the bar: "[#########-----------] 9/20  0.05 s/step  1 s left", without what does not fit into `columns`
/// characters: the bar becomes shorter, then goes, then the seconds and the time left go.
std::string progress_line(int done, int all, double seconds, int columns);

}  // namespace lapis::cli
