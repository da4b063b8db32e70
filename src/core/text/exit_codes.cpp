#include "core/text/exit_codes.hpp"

#include <array>

namespace lapis::core {
namespace {

constexpr std::array exit_code_rows = {
    ExitCode{0, std::nullopt, "ok", "it worked"},
    ExitCode{differ_code, std::nullopt, "they differ", "things that were compared are not equal"},
    ExitCode{2, ErrorKind::usage, "usage",
             "usage: an option, a number or a name that makes no sense; nothing was done"},
    ExitCode{3, ErrorKind::input, "input file", "an input file is malformed or unreadable"},
    ExitCode{4, ErrorKind::incompatible, "incompatible", "latent, model, decoder and size do not go together"},
    ExitCode{5, ErrorKind::model, "model folder",
             "a model folder is broken, altered or unsupported, or a file was cut short while it was used"},
    ExitCode{6, ErrorKind::device, "device or memory",
             "the device is missing, memory, threads or open files ran out, or the engine cannot be opened"},
    ExitCode{7, ErrorKind::numeric, "numeric failure",
             "numeric failure: NaN, Inf or a flat picture; nothing black is ever saved"},
    ExitCode{8, ErrorKind::output, "output",
             "an output cannot be written: it exists, the disk is full, the folder is not there"},
    ExitCode{9, std::nullopt, "some jobs failed", "some jobs of a batch failed; the others were done"},
    ExitCode{70, ErrorKind::internal, "internal", "an internal error"},
    ExitCode{130, std::nullopt, "interrupted", "what a shell tells of a program that died by SIGINT"},
};

}  // namespace

std::span<const ExitCode> exit_codes() { return exit_code_rows; }

}  // namespace lapis::core
