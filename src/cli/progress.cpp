#include "cli/progress.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"

namespace lapis::cli {
namespace {

std::string left_text(double seconds) {
  char text[32];
  if (seconds < 90) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else if (seconds < 5400) {
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  }
  return text;
}

}  // namespace

std::string progress_line(int done, int all, double seconds, int columns) {
  constexpr std::size_t widest = 24;
  constexpr std::size_t narrowest = 8;
  constexpr std::size_t brackets = 3;  // and a blank
  const auto room = static_cast<std::size_t>(std::max(columns, 0));
  const double each = seconds / done;
  char rate[32];
  std::snprintf(rate, sizeof rate, "  %.2f s/step", each);
  const std::string count = core::sentence("{}/{}", done, all);
  const std::string left = core::sentence("  {} left", left_text(each * (all - done)));
  const std::string numbers = count + rate + left;
  if (numbers.size() + brackets + narrowest <= room) {
    const std::size_t width = std::min(widest, room - numbers.size() - brackets);
    const std::size_t filled = width * static_cast<std::size_t>(done) / static_cast<std::size_t>(all);
    return core::sentence("[{}{}] {}", std::string(filled, '#'), std::string(width - filled, '-'), numbers);
  }
  for (const std::string& text : {numbers, count + left, count}) {
    if (text.size() <= room) return text;
  }
  return "";
}

Events listener(Progress& progress) {
  Events events;
  events.note = print_note;
  events.warning = [](const std::string& text) { print_warning(text); };
  events.step = [&progress](int done, int all) { progress.update(done, all); };
  events.picture = [&progress] { progress.clear(); };
  return events;
}

Progress::Progress() : shown_(!is_quiet() && stderr_shows_status()), start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::update(int done, int all) {
  if (!shown_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  clear();
  const std::string line = progress_line(done, all, seconds, stderr_columns() - 1);  // the last column would wrap
  show_status(line);
  drawn_ = line.size();
}

void Progress::clear() {
  if (drawn_ != 0) clear_status(drawn_);
  drawn_ = 0;
}

}  // namespace lapis::cli
