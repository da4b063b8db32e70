// Words on the terminal. Results go to stdout, everything else to stderr.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace lapis::cli {

/// "error: TEXT" on stderr, red on a terminal unless NO_COLOR is set.
void print_error(const std::string& text);

/// "warning: TEXT" on stderr.
void print_warning(const std::string& text);

/// TEXT on stderr, unless all is to be quiet.
void print_note(const std::string& text);

/// From here on there are no notes and no progress bar: --quiet.
void be_quiet();
bool is_quiet();

/// TEXT and a newline on stdout.
void print_line(const std::string& text);

/// TEXT on stdout, which ends with its own newline.
void print_text(const std::string& text);

/// Bytes on stdout, flushed. Throws Error{output} if they do not all arrive.
void print_bytes(std::span<const std::byte> bytes);

/// Rows on stdout, columns aligned; the first row is the head.
void print_table(const std::vector<std::vector<std::string>>& rows);

/// True if stdout is a terminal.
bool stdout_is_terminal();

/// True if it is one that shows colours, and nobody asked for none.
bool stdout_has_colour();

/// Characters on a line of stdout, or of stderr: what the terminal or COLUMNS says, else 80.
int stdout_columns();
int stderr_columns();

/// Flushes stdout; false if something written to it was lost.
bool flush_output();

}  // namespace lapis::cli
