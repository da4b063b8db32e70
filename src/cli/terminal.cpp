#include "cli/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/spelling.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

bool quiet = false;

}  // namespace

bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term && std::strcmp(term, "dumb") == 0;
}

namespace {

bool has_colour(int stream) {
  const char* off = std::getenv("NO_COLOR");
  return !(off && *off) && !is_dumb() && isatty(stream);
}

std::string shown(std::string_view text) { return io::printable(text, std::string_view::npos); }

/// A message, which may name fields and commands.
std::string message(std::string_view text) { return shown(spelled(text)); }

void print_marked(const char* mark, const char* colour, const std::string& problem, const std::string& advice) {
  const std::string lead =
      has_colour(STDERR_FILENO) ? std::string("\x1b[") + colour + "m" + mark + ":\x1b[0m " : std::string(mark) + ": ";
  const std::string text = lead + message(problem) + "\n" + (advice.empty() ? "" : message(advice) + "\n");
  std::fputs(text.c_str(), stderr);
}

/// Past stdio, which a signal may have found at work.
void write_now(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
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

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

void print_error(const std::string& problem, const std::string& advice) {
  print_marked("error", "31", problem, advice);
}

void print_error(const Error& error) { print_error(error.marked_problem(), error.marked_advice()); }

void be_quiet() { quiet = true; }

bool is_quiet() { return quiet; }

void print_warning(const std::string& problem, const std::string& advice) {
  print_marked("warning", "33", problem, advice);
}

void print_warning(const Error& error) { print_warning(error.marked_problem(), error.marked_advice()); }

void print_note(const std::string& text) {
  if (!quiet) std::fprintf(stderr, "%s\n", message(text).c_str());
}

void print_progress(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

void print_line(const std::string& text) { std::printf("%s\n", shown(text).c_str()); }

void print_text(const std::string& text) {
  for (const std::string_view line : lines_of(text)) print_line(std::string(line));
}

void print_block(const std::string& text) {
  for (const std::string_view line : lines_of(text)) print_line("  " + std::string(line));
}

void print_json(const std::string& json) { std::printf("%s\n", io::printable_json(json).c_str()); }

void print_drawing(const std::string& drawing) { std::fputs(drawing.c_str(), stdout); }

void print_bytes(std::span<const std::byte> bytes) {
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  if (!whole || std::fflush(stdout) != 0) throw Error(ErrorKind::output, "standard output cannot be written");
}

void print_table(const std::vector<std::vector<std::string>>& table) {
  std::vector<std::vector<std::string>> rows = table;
  for (auto& row : rows)
    std::transform(row.begin(), row.end(), row.begin(), [](const auto& cell) { return shown(cell); });
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

void show_status(const std::string& text) { std::fprintf(stderr, "\r%s\x1b[K", shown(text).c_str()); }

void clear_status(std::size_t characters) {
  // A terminal that became narrower since has broken the line into several.
  const std::size_t rows = characters == 0 ? 0 : (characters - 1) / static_cast<std::size_t>(stderr_columns());
  if (rows > 0) std::fprintf(stderr, "\x1b[%zuA", rows);
  std::fputs("\r\x1b[J", stderr);
}

void break_line_now() {
  if (isatty(STDERR_FILENO) != 0) write_now("\n");
}

void print_now(std::string_view text) { write_now(text); }

void print_error_now(std::string_view name, std::string_view problem, std::string_view advice) {
  write_now("error: ");
  while (!name.empty()) {
    const io::PrintablePiece piece = io::printable_piece(name);
    write_now(piece.shown());
    name.remove_prefix(piece.taken);
  }
  write_now(problem);
  write_now("\n");
  write_now(advice);
  write_now("\n");
}

bool stderr_shows_status() { return !is_dumb() && isatty(STDERR_FILENO) != 0; }

bool stdout_is_terminal() { return isatty(STDOUT_FILENO); }

bool stdout_has_colour() { return has_colour(STDOUT_FILENO); }

int stdout_columns() { return columns_of(STDOUT_FILENO); }

int stderr_columns() { return columns_of(STDERR_FILENO); }

bool flush_output() { return std::fflush(stdout) == 0 && !std::ferror(stdout); }

}  // namespace lapis::cli
