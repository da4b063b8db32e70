// What a command is told of its outputs: options that mean the same in every command that has any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace lapis::cli {

struct OutputOptions {
  bool json = false;
  bool overwrite = false;      ///< what is there is replaced
  bool skip_existing = false;  ///< what is there stays, and no work is done for it
};

/// Declares --json; `help` says what stands on stdout then.
void declare_json(CLI::App& app, bool& json, const char* help);

/// Declares --overwrite, --skip-existing and --json; parsing fills `options`, which must live as long.
void declare_output(CLI::App& app, OutputOptions& options, const char* json_help);

/// Throws Error{usage} where what is there is both to be replaced and to stay.
void check_output(const OutputOptions& options);

/// What is done about standard output where a file goes there. Throws Error{usage} for --json and --skip-existing, and
/// for bytes on a terminal; `what` is what would be written ("a latent"), `command` the line that pipes it.
void check_stdout(const OutputOptions& options, std::string_view what, std::string_view command);

/// Whether --skip-existing is asked for and a file lies at `path`: it stays as it is.
bool stays(const OutputOptions& options, const std::string& path);

/// Tells of an output that stays: a note and with --json a line, of a dry run what would be; `index` of one picture of
/// several.
void report_skipped(const OutputOptions& options, const std::string& path, std::optional<int> index = std::nullopt,
                    bool dry_run = false);

}  // namespace lapis::cli
