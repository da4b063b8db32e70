// What the commands declared, looked up by the words of a command line.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lapis::cli {

using Words = std::span<const std::string>;
using Value = std::optional<std::string>;  ///< of an option, where it has one

/// Nothing but digits, and at least one.
bool is_number(std::string_view text);

/// The option "--name" or "-n" of `command`, or null.
CLI::Option* find_option(CLI::App& command, std::string_view flag);

/// The command of this name, or null.
CLI::App* find_command(CLI::App& app, std::string_view name);

/// Takes no value.
bool is_flag(const CLI::Option& option);

/// Takes as many values as it gets, one each time.
bool is_list(const CLI::Option& option);

/// "--width", "-W" where it has no long name, "latent" for what has no name of an option.
std::string shown(const CLI::Option& option);

/// All long options of a command, with their hyphens.
std::vector<std::string> option_names(CLI::App& command);

/// All commands.
std::vector<CLI::App*> commands_of(CLI::App& app);
std::vector<std::string> command_names(CLI::App& app);

/// The first line of a command's examples, "" where it has none.
std::string first_example(const CLI::App& command);

}  // namespace lapis::cli
