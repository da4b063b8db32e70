#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/progress.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/text/exit_codes.hpp"
#include "core/text/sentence.hpp"
#include "io/file/shortage.hpp"
#include "lapis/error.hpp"
#include "lapis/version.hpp"

namespace lapis::cli {
namespace {

constexpr const char* examples =
    "Examples:\n"
    "  lapis generate \"a serene lakeside at sunset\"\n"
    "  lapis generate \"a red house, snow field at night\" -s 7 -b 4 -o \"house-{seed}.png\"\n"
    "  lapis inspect house-7.png\n"
    "\n";

/// The examples, and the exit codes in lines of at most 100 characters.
std::string footer() {
  constexpr std::size_t columns = 100;
  std::string line = "Exit codes:";
  std::string text = examples;
  const auto add = [&](const std::string& words) {
    if (line.size() + 1 + words.size() > columns) {
      text += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + words;
  };
  const std::span<const core::ExitCode> rows = core::exit_codes();
  for (const core::ExitCode& row : rows) {
    add(core::sentence("{} {}{}", row.code, row.word, &row == &rows.back() ? "." : ","));
  }
  add("`lapis help COMMAND` tells more.");
  return text + line;
}

/// Declares the options of each command once, and keeps in `runs` how to run it.
Declare declaring(std::map<const CLI::App*, Run>& runs) {
  return [&runs](CLI::App& command) {
    if (runs.contains(&command)) return;
    const auto row = std::ranges::find(commands(), command.get_name(), &Command::name);
    runs[&command] = row->declare(command);
    command.add_flag_callback("-q,--quiet", be_quiet, "No progress bar and no notes")->group("Output");
    if (!row->is_long) return;
    command.add_option_function<std::string>("--progress", show_progress, core::either_of(progress_modes()))
        ->type_name("MODE")
        ->group("Output");
  };
}

int run(int argc, char** argv) {
  CLI::App app("Renders pictures with latent diffusion: SD1.5, SDXL and Flux models, on CPU or CUDA.", "lapis");
  app.set_version_flag("-V,--version", std::string("lapis ") + version, "Print the version and end");
  app.set_help_flag("-h,--help", "Print this help and end");
  app.footer(footer());
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  for (const Command& row : commands()) {
    app.add_subcommand(std::string(row.name), std::string(row.help))->group("Commands");
  }
  std::map<const CLI::App*, Run> runs;
  const Arguments asked = read_arguments(app, {argv + 1, argv + argc}, declaring(runs));
  if (asked.kind == Arguments::Kind::run) return runs.at(asked.command)();
  if (asked.kind == Arguments::Kind::version) {
    print_line(std::string("lapis ") + version);
    return 0;
  }
  const CLI::App& page = asked.command == nullptr ? app : *asked.command;
  print_text(page.help(asked.command == nullptr ? "" : "lapis"));
  return argc > 1 ? 0 : exit_code(ErrorKind::usage);
}

int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception&) {
    const Error error = io::handled_error();
    print_error(error);
    return exit_code(error.kind());
  }
}

}  // namespace
}  // namespace lapis::cli

int main(int argc, char** argv) {
  lapis::cli::set_signals();
  int code = lapis::cli::guarded(argc, argv);
  if (!lapis::cli::flush_output() && code == 0) {
    lapis::cli::print_error("standard output cannot be written");
    code = lapis::exit_code(lapis::ErrorKind::output);
  }
  // Not `return`: once libtorch is open, its destructors take another 0.14 s and free nothing that matters.
  _exit(code);
}
