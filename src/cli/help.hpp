// How help pages look: what the command does, how to call it, examples, and only then the options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace lapis::cli {

/// CLI11's layout with the footer, where the examples are, before the options.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional, std::vector<const CLI::Option*> options) const override;
};

}  // namespace lapis::cli
