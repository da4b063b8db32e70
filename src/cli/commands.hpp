// The command table: one row a command, one file a command.
#pragma once

#include <functional>
#include <span>
#include <string_view>

namespace CLI {
class App;
}

namespace lapis::cli {

/// Runs a parsed command and returns the program's exit code. Throws `Error`.
using Run = std::function<int()>;

/// A command: its name, one line of help, and what declares its options on `app` and returns how to run it.
struct Command {
  std::string_view name;
  std::string_view help;
  Run (*declare)(CLI::App& app);
  bool is_long = false;  ///< it may run for minutes, and tells how far it is
};

Run declare_batch(CLI::App& app);
Run declare_smoke(CLI::App& app);
Run declare_convert(CLI::App& app);
Run declare_decode(CLI::App& app);
Run declare_encode(CLI::App& app);
Run declare_check(CLI::App& app);
Run declare_compare(CLI::App& app);
Run declare_generate(CLI::App& app);
Run declare_import(CLI::App& app);
Run declare_inspect(CLI::App& app);
Run declare_list(CLI::App& app);
Run declare_matrix(CLI::App& app);
Run declare_refine(CLI::App& app);

/// All commands, in the order the help shows them.
std::span<const Command> commands();

}  // namespace lapis::cli
