#include "cli/output_options.hpp"

#include "cli/option_group.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"
#include "io/report/report.hpp"

namespace lapis::cli {

void declare_json(CLI::App& app, bool& json, const char* help) {
  OptionGroup(app, "Output").flag("--json", json, help);
}

void declare_output(CLI::App& app, OutputOptions& options, const char* json_help) {
  const OptionGroup group(app, "Output");
  group.field("overwrite", options.overwrite);
  group.field("skip_existing", options.skip_existing);
  group.flag("--json", options.json, json_help);
}

pipeline::Outlet outlet_of(const OutputOptions& options) {
  return {options, print_bytes, options.json, [](std::string_view text) { return spelled(text); }, {}};
}

void report_skipped(const OutputOptions& options, const std::string& path, std::optional<int> index, bool dry_run) {
  if (options.json) print_json(io::skipped_line(path, index));
  if (!dry_run) {
    print_note(core::sentence("{} is there already: skipped", path));
  } else if (!options.json) {
    print_line(core::sentence("{} is there already: it would be skipped", path));
  }
}

void report_skipped(const OutputOptions& options, std::span<const pipeline::Output> outputs, bool dry_run) {
  for (const pipeline::Output& output : outputs) {
    if (output.stays) report_skipped(options, output.path, output.index, dry_run);
  }
}

void print_written(const OutputOptions& options, const pipeline::Written& written) {
  if (options.json) {
    print_json(written.line);
  } else if (written.path != "-") {
    print_line(written.path);
  }
  flush_output();
}

}  // namespace lapis::cli
