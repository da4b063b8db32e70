// How far a render is, for a person at a terminal.
#pragma once

#include <chrono>
#include <string>

namespace lapis::cli {

/// A one-line bar on stderr with seconds a step and time left. Silent when stderr is no terminal, when TERM is "dumb",
/// or when told so.
class Progress {
 public:
  explicit Progress(bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int done, int all);

  /// Takes the line away, so that other text can be printed.
  void clear();

 private:
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
};

/// The text of the bar: "[#########-----------] 9/20  0.05 s/step  1 s left".
std::string progress_line(int done, int all, double seconds);

}  // namespace lapis::cli
