// What the program does when the system or a person tells it to end.
#pragma once

namespace lapis::cli {

/// From here on a signal that ends the program removes what is not whole yet, and then the program dies by that very
/// signal, so that a shell's loop ends too. What the parent ignores (nohup) stays ignored. A closed pipe and a limit on
/// file sizes are output errors like any other. A mapped file that is cut short while it is read is named, with the
/// exit code of a broken model folder.
void set_signals();

}  // namespace lapis::cli
