#include "cli/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/terminal.hpp"
#include "core/text/choice.hpp"
#include "core/text/sentence.hpp"
#include "io/report/report.hpp"

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

ProgressMode asked_mode = ProgressMode::automatic;
constexpr int widest_line = 80;

ProgressMode decided_mode() {
  if (is_quiet()) return ProgressMode::none;
  if (asked_mode == ProgressMode::bar && is_dumb()) return ProgressMode::plain;
  if (asked_mode != ProgressMode::automatic) return asked_mode;
  return stderr_shows_status() ? ProgressMode::bar : ProgressMode::plain;
}

}  // namespace

std::string progress_line(int done, int all, double seconds, int columns, const std::string& thing) {
  constexpr std::size_t widest = 24;
  constexpr std::size_t narrowest = 8;
  constexpr std::size_t brackets = 3;  // and a blank
  const auto room = static_cast<std::size_t>(std::max(columns, 0));
  const double each = seconds / done;
  const std::string rate = core::sentence("  {:.2f} s/{}", each, thing);
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

std::vector<std::string> progress_modes() { return {"auto", "bar", "plain", "json", "none"}; }

void show_progress(const std::string& mode) {
  const std::vector<std::string> names = progress_modes();
  core::expect_word("--progress", mode, names);
  asked_mode = static_cast<ProgressMode>(std::ranges::find(names, mode) - names.begin());
}

Progress::Progress(std::string thing) : thing_(std::move(thing)), mode_(decided_mode()), start_(Clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::update(int done, int all) {
  if (mode_ == ProgressMode::none || done == 0) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (mode_ == ProgressMode::bar) {
    clear();
    const std::string line = progress_line(done, all, seconds, stderr_columns() - 1, thing_);  // the last would wrap
    show_status(line);
    drawn_ = line.size();
    return;
  }
  if (!is_due(done == all ? 0 : seconds)) return;
  told_ = Clock::now();
  if (mode_ == ProgressMode::json) {
    print_progress(io::progress_line(thing_, done, all, seconds));
  } else {
    print_progress(progress_line(done, all, seconds, widest_line, thing_));
  }
}

/// Whether a line is to be written, `seconds` after the start; 0 at the end, which JSON always has.
bool Progress::is_due(double seconds) const {
  const bool is_json = mode_ == ProgressMode::json;
  if (seconds == 0 && is_json) return true;
  const double since = std::chrono::duration<double>(Clock::now() - told_.value_or(start_)).count();
  return since >= (is_json ? 0.1 : 30.0);
}

void Progress::clear() {
  if (drawn_ != 0) clear_status(drawn_);
  drawn_ = 0;
}

}  // namespace lapis::cli
