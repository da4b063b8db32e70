// What a command is told of its outputs, by options that mean the same in every command that has any, and what it tells
// of them.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "pipeline/outputs.hpp"

namespace CLI {
class App;
}

namespace lapis::cli {

struct OutputOptions : pipeline::OutputPolicy {
  bool json = false;
};

/// Declares --json; `help` says what stands on stdout then.
void declare_json(CLI::App& app, bool& json, const char* help);

/// Declares --overwrite, --skip-existing and --json; parsing fills `options`, which must live as long.
void declare_output(CLI::App& app, OutputOptions& options, const char* json_help);

/// What takes a command's results; its seconds are counted from here on.
pipeline::Outlet outlet_of(const OutputOptions& options);

/// Tells of an output that stays: a note and with --json a line, of a dry run what would be; `index` of one picture of
/// several.
void report_skipped(const OutputOptions& options, const std::string& path, std::optional<int> index = std::nullopt,
                    bool dry_run = false);

/// Tells of all that stay.
void report_skipped(const OutputOptions& options, std::span<const pipeline::Output> outputs, bool dry_run = false);

/// Names an output that was written, unless it is standard output; with --json by its line.
void print_written(const OutputOptions& options, const pipeline::Written& written);

}  // namespace lapis::cli
