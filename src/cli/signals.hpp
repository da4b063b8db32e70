// What the program does when the system or a person tells it to end.
#pragma once

#include <string_view>

namespace lapis::cli {

/// From here on a signal that ends the program removes what is not whole yet, and then the program dies by that very
/// signal, so that a shell's loop ends too. What the parent ignores (nohup) stays ignored. A limit on file sizes is an
/// output error like any other. A mapped file that is cut short while it is read is named, with the exit code of a
/// broken model folder.
void set_signals();

/// While `may` holds, the first SIGINT or SIGTERM says that the run ends after its step, and leaves that to whoever
/// asks `is_asked_to_end`; the second one ends the program at once.
void end_after_step(bool may);

bool is_asked_to_end();

/// "SIGINT", of the signal that asked.
std::string_view asked_signal_name();

/// Dies by the signal that asked, with all that was printed.
[[noreturn]] void end_by_asked_signal();

}  // namespace lapis::cli
