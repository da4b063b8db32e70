#include "cli/output_options.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <system_error>

#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/text/sentence.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* group = "Output";

/// A flag as the job's field of this key declares it.
void declare_flag(CLI::App& app, bool& value, const char* key) {
  const core::JobField& field = core::find_job_field(key);
  app.add_flag(std::string(field.flags), value, core::help_text(field))->group(group);
}

}  // namespace

void declare_json(CLI::App& app, bool& json, const char* help) { app.add_flag("--json", json, help)->group(group); }

void declare_output(CLI::App& app, OutputOptions& options, const char* json_help) {
  declare_flag(app, options.overwrite, "overwrite");
  declare_flag(app, options.skip_existing, "skip_existing");
  declare_json(app, options.json, json_help);
}

void check_output(const OutputOptions& options) {
  if (!options.overwrite || !options.skip_existing) return;
  throw Error(ErrorKind::usage,
              core::sentence("{overwrite} replaces what is there, and {skip_existing} leaves it. Give one of the two"));
}

void check_stdout(const OutputOptions& options, std::string_view what, std::string_view command) {
  if (options.json) throw Error(ErrorKind::usage, "--json and -o - both want standard output. Name a file with -o");
  if (options.skip_existing) {
    throw Error(ErrorKind::usage, core::sentence("{skip_existing} is for files, and -o - is standard output. Name a "
                                                 "file with -o"));
  }
  if (stdout_is_terminal()) {
    throw Error(ErrorKind::usage, core::sentence("-o - would write {} to the terminal. Pipe it: {}", what, command));
  }
}

bool stays(const OutputOptions& options, const std::string& path) {
  std::error_code ignored;
  return options.skip_existing && std::filesystem::is_regular_file(path, ignored);
}

void report_skipped(const OutputOptions& options, const std::string& path, std::optional<int> index, bool dry_run) {
  if (options.json) print_json(io::skipped_line(path, index));
  if (!dry_run) {
    print_note(core::sentence("{} is there already: skipped", path));
  } else if (!options.json) {
    print_line(core::sentence("{} is there already: it would be skipped", path));
  }
}

}  // namespace lapis::cli
