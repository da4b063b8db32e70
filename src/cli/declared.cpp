#include "cli/declared.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace lapis::cli {

namespace {

/// Names that options had before; they are read, and shown nowhere.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> former_names = {
    {{"--form", "--format"}, {"--in-form", "--in-format"}, {"--init-form", "--init-format"}}};

}  // namespace

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

CLI::Option* find_option(CLI::App& command, std::string_view flag) {
  const auto former = std::ranges::find(former_names, flag, [](const auto& pair) { return pair.first; });
  if (former != former_names.end()) flag = former->second;
  const bool is_long = flag.starts_with("--");
  const std::string_view bare = flag.substr(is_long ? 2 : 1);
  for (CLI::Option* option : command.get_options()) {
    const std::vector<std::string>& names = is_long ? option->get_lnames() : option->get_snames();
    if (std::find(names.begin(), names.end(), bare) != names.end()) return option;
  }
  return nullptr;
}

std::vector<CLI::App*> commands_of(CLI::App& app) {
  return app.get_subcommands([](CLI::App*) { return true; });
}

CLI::App* find_command(CLI::App& app, std::string_view name) {
  const std::vector<CLI::App*> commands = commands_of(app);
  const auto found = std::ranges::find(commands, name, [](const CLI::App* command) { return command->get_name(); });
  return found == commands.end() ? nullptr : *found;
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

bool is_list(const CLI::Option& option) {
  return option.get_items_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

std::string shown(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return option.get_snames().empty() ? option.get_name(/*positional=*/true) : "-" + option.get_snames().front();
}

std::vector<std::string> option_names(CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> command_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(app)) names.push_back(command->get_name());
  return names;
}

std::string first_example(const CLI::App& command) {
  const std::string footer = command.get_footer();
  const std::size_t at = footer.find("\n  lapis ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + 3;
  return footer.substr(begin, footer.find('\n', begin) - begin);
}

}  // namespace lapis::cli
