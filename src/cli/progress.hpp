// How far a command is, for people and programs that wait for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/events.hpp"

namespace lapis::cli {

/// How progress is shown: a bar where stderr is a terminal, a line now and then, a line of JSON for programs, or not at
/// all. `automatic` is a bar on a terminal, else lines.
enum class ProgressMode { automatic, bar, plain, json, none };

/// The names of the modes, in their order: "auto", "bar", ...
std::vector<std::string> progress_modes();

/// From here on progress is shown so. Throws Error{usage} for a name that is none.
void show_progress(const std::string& mode);

/// What is done of some things of one kind, on stderr. A bar is as long as the terminal is wide; lines come every half
/// minute, so that CI does not take a long run for dead; JSON comes ten times a second at the most. Nothing where all
/// is to be quiet.
class Progress {
 public:
  /// `thing` is what is counted: "step", "job".
  explicit Progress(std::string thing = "step");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int done, int all);

  /// Takes a bar away, so that other text can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due(double seconds) const;

  std::string thing_;
  ProgressMode mode_;      ///< never `automatic`
  std::size_t drawn_ = 0;  ///< characters of the bar that stands there
  Clock::time_point start_;
  std::optional<Clock::time_point> told_;  ///< when a line was written last
};

/// What is told on the way, on stderr: notes, warnings, and steps by `progress`, which must live as long.
Events listener(Progress& progress);

/// The text of the bar: "[#########-----------] 9/20  0.05 s/step  1 s left", without what does not fit into `columns`
/// characters: the bar becomes shorter, then goes, then the seconds and the time left go.
std::string progress_line(int done, int all, double seconds, int columns, const std::string& thing = "step");

}  // namespace lapis::cli
