#include "cli/progress.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace lapis::cli {
namespace {

bool is_plain_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(term && std::string_view(term) == "dumb");
}

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

std::string progress_line(int done, int all, double seconds) {
  constexpr int width = 24;
  const auto filled = static_cast<std::size_t>(width * done / all);
  const double each = seconds / done;
  char numbers[64];
  std::snprintf(numbers, sizeof numbers, "%d/%d  %.2f s/step  ", done, all, each);
  return "[" + std::string(filled, '#') + std::string(width - filled, '-') + "] " + numbers +
         left_text(each * (all - done)) + " left";
}

Progress::Progress(bool quiet) : shown_(!quiet && is_plain_terminal()), start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::update(int done, int all) {
  if (!shown_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  std::fprintf(stderr, "\r%s\x1b[K", progress_line(done, all, seconds).c_str());
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace lapis::cli
