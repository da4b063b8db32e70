#include "cli/help.hpp"

#include <utility>

namespace lapis::cli {

HelpFormatter::HelpFormatter() {
  column_width(36);
  label("SUBCOMMAND", "COMMAND");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  // In the list of commands one line each is enough; CLI11 asks for that with another mode.
  if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
  std::string text = make_description(app) + "\n" + make_usage(app, std::move(name));
  for (const std::string& section :
       {app->get_footer() + "\n", make_positionals(app), make_groups(app, mode), make_subcommands(app, mode)}) {
    if (section.empty()) continue;
    text += (section.front() == '\n' ? "" : "\n") + section;
  }
  return text;
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  std::string text = group + ":\n";
  for (const CLI::Option* option : options) text += make_option(option, is_positional);
  return text;
}

}  // namespace lapis::cli
