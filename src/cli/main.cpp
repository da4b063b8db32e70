#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <unistd.h>
#include <vector>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/terminal.hpp"
#include "core/suggest.hpp"
#include "io/atomic_file.hpp"
#include "lapis/error.hpp"
#include "lapis/version.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis generate \"a serene lakeside at sunset\"\n"
    "  lapis generate \"a red house, snow field at night\" -s 7 -b 4 -o \"house-{seed}.png\"\n"
    "  lapis inspect house-7.png\n"
    "\n"
    "Exit codes: 0 ok, 2 usage, 3 input file, 4 incompatible, 5 model folder, 6 device or memory,\n"
    "7 numeric failure, 8 output, 70 internal, 130 interrupted. `lapis COMMAND --help` tells more.";

void end_on_signal(int signal) {
  io::remove_pending_files();
  if (isatty(STDERR_FILENO) && write(STDERR_FILENO, "\n", 1) < 0) _exit(128 + signal);  // after a progress bar
  _exit(128 + signal);
}

void set_signals() {
  std::signal(SIGINT, end_on_signal);
  std::signal(SIGTERM, end_on_signal);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an output error like any other
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file size limit
}

/// The words of an option that CLI11 does not know, with the option it may stand for.
std::string unknown_text(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  const bool is_option = word.size() > 1 && word.front() == '-';
  const std::string what = is_option ? "there is no option " : "there is no use for the word ";
  return what + "\"" + word + "\"." + core::did_you_mean(word.substr(0, word.find('=')), names);
}

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  std::string text = error.what();
  const std::vector<std::string> extras = command.remaining();
  if (!extras.empty()) {
    text = unknown_text(command, extras.front());
  } else if (chosen.empty()) {
    std::vector<std::string> names;
    for (const Command& row : commands()) names.emplace_back(row.name);
    text = "there is no command; expected one of " + core::listed(names);
  }
  const std::string name = chosen.empty() ? "lapis" : "lapis " + command.get_name();
  print_error(text + "\nTry: " + name + " --help");
  return exit_code(ErrorKind::usage);
}

int run(int argc, char** argv) {
  CLI::App app("Renders pictures with latent diffusion: SD1.5 models as TorchScript, on CPU or CUDA.", "lapis");
  app.set_version_flag("--version", std::string("lapis ") + version, "Print the version and end");
  app.set_help_flag("-h,--help", "Print this help and end");
  app.footer(footer);
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  Run chosen;
  for (const Command& row : commands()) {
    CLI::App* command = app.add_subcommand(std::string(row.name), std::string(row.help));
    command->group("Commands");
    command->final_callback([&chosen, run = row.declare(*command)] { chosen = run; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) return report_usage(app, error);
    return app.exit(error);
  }
  return chosen();
}

int guarded(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    print_error(error.what());
    return exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
    return exit_code(ErrorKind::device);
  } catch (const std::exception& error) {
    print_error(std::string("internal error: ") + error.what());
    return exit_code(ErrorKind::internal);
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
