// The words of a command line, read by the options that the commands declare.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lapis::cli {

/// What a command line asks for.
struct Arguments {
  enum class Kind { run, help, version };

  Kind kind = Kind::run;
  CLI::App* command = nullptr;  ///< the one that is named; none: the program itself, of which only help is asked
};

/// Declares the options of a command, unless that was done before.
using Declare = std::function<void(CLI::App& command)>;

/// Reads `words`, those behind the program's name, and fills what `declare` declared of the named command of `app`. Of
/// the other commands it declares the options for advice alone, which tells whose an option is: some 200 options would
/// take a fifth of the time that the program needs to start. CLI11 keeps the declarations, converts values and writes
/// help; it does not read, because it lets options with several values swallow the words behind them. Here, as with
/// getopt_long, an option takes one value or none: "--name VALUE", "--name=VALUE",
/// "-nVALUE", "-n VALUE", "-n=VALUE", flags together as in "-qf"; all other words, and all behind "--", are the
/// command's positionals, in their order, wherever they stand. A list takes one value each time it is named. "help
/// COMMAND", -h, --help, -V and --version are answered wherever they stand.
/// Throws Error{usage} that says what to type.
Arguments read_arguments(CLI::App& app, const std::vector<std::string>& words, const Declare& declare);

}  // namespace lapis::cli
