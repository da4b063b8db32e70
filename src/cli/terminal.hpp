// The one door to the terminal: nothing else writes to stdout or stderr. Results go to stdout, everything else to
// stderr. What comes from files, folders and command lines stands in every text here so that a terminal neither obeys
// it nor shows it other than it is (`io::printable`), and a line break in it begins no line.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/error.hpp"

namespace lapis::cli {

/// "error: PROBLEM" on stderr, red on a terminal unless NO_COLOR is set, and the advice, where there is any, on a line
/// of its own.
void print_error(const std::string& problem, const std::string& advice = "");
void print_error(const Error& error);

/// "warning: PROBLEM", yellow, and the advice, as `print_error` prints them.
void print_warning(const std::string& problem, const std::string& advice = "");
void print_warning(const Error& error);

/// One line on stderr, unless all is to be quiet.
void print_note(const std::string& text);

/// One line on stderr about how far a command is.
void print_progress(const std::string& line);

/// From here on there are no notes and no progress bar: --quiet.
void be_quiet();
bool is_quiet();

/// One line on stdout.
void print_line(const std::string& text);

/// Our own text on stdout, its lines as they are; it ends with a line break.
void print_text(const std::string& text);

/// A stranger's text of several lines on stdout, each indented, so that none passes for a line of ours.
void print_block(const std::string& text);

/// A JSON document on a line of stdout, its value untouched.
void print_json(const std::string& json);

/// A picture of characters and colours on stdout, as `half_blocks` and `shaded` make it.
void print_drawing(const std::string& drawing);

/// Bytes on stdout, flushed. Throws Error{output} if they do not all arrive.
void print_bytes(std::span<const std::byte> bytes);

/// Rows on stdout, columns aligned; the first row is the head.
void print_table(const std::vector<std::vector<std::string>>& rows);

/// Shows a line on stderr in place of the one that was shown before.
void show_status(const std::string& text);

/// Takes away a status of so many characters, on however many lines a terminal that was made narrower has laid it.
void clear_status(std::size_t characters);

/// Within a signal, where nothing may be allocated or locked: ends a line that may have been begun on stderr, if that
/// is a terminal.
void break_line_now();

/// Within a signal: text of ours on stderr.
void print_now(std::string_view text);

/// Within a signal: an error about a stranger's `name`, whose own words follow it.
void print_error_now(std::string_view name, std::string_view problem, std::string_view advice);

/// True if stdout is a terminal.
bool stdout_is_terminal();

/// True if TERM is "dumb": terminals that take no line back and show no colours.
bool is_dumb();

/// True if stderr is one that can take a line back, and TERM is not "dumb".
bool stderr_shows_status();

/// True if stdout is one that shows colours, and nobody asked for none.
bool stdout_has_colour();

/// Characters on a line of stdout, or of stderr: what the terminal or COLUMNS says, else 80.
int stdout_columns();
int stderr_columns();

/// Flushes stdout; false if something written to it was lost.
bool flush_output();

}  // namespace lapis::cli
