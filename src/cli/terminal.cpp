#include "cli/terminal.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

bool quiet = false;

bool has_colour(int stream) {
  const char* off = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return !(off && *off) && !(term && std::strcmp(term, "dumb") == 0) && isatty(stream);
}

void print_marked(const char* mark, const char* colour, const std::string& text) {
  if (has_colour(STDERR_FILENO)) {
    std::fprintf(stderr, "\x1b[%sm%s:\x1b[0m %s\n", colour, mark, text.c_str());
  } else {
    std::fprintf(stderr, "%s: %s\n", mark, text.c_str());
  }
}

/// Characters a terminal shows: UTF-8 continuation bytes take no place.
std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

int columns_of(int stream) {
  winsize size{};
  if (ioctl(stream, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const int told = columns ? std::atoi(columns) : 0;
  return told > 0 ? told : 80;
}

}  // namespace

void print_error(const std::string& text) { print_marked("error", "31", text); }

void print_warning(const std::string& text) { print_marked("warning", "33", text); }

void print_note(const std::string& text) {
  if (!quiet) std::fprintf(stderr, "%s\n", text.c_str());
}

void be_quiet() { quiet = true; }

bool is_quiet() { return quiet; }

void print_line(const std::string& text) { std::printf("%s\n", text.c_str()); }

void print_text(const std::string& text) { std::fputs(text.c_str(), stdout); }

void print_bytes(std::span<const std::byte> bytes) {
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  if (!whole || std::fflush(stdout) != 0) throw Error(ErrorKind::output, "standard output cannot be written");
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], shown_width(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - shown_width(row[i]) + 2, ' ');
    }
    print_line(line);
  }
}

bool stdout_is_terminal() { return isatty(STDOUT_FILENO); }

bool stdout_has_colour() { return has_colour(STDOUT_FILENO); }

int stdout_columns() { return columns_of(STDOUT_FILENO); }

int stderr_columns() { return columns_of(STDERR_FILENO); }

bool flush_output() { return std::fflush(stdout) == 0 && !std::ferror(stdout); }

}  // namespace lapis::cli
