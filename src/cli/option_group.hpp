// Options that are declared in one line each.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "core/job/job_fields.hpp"

namespace lapis::cli {

/// Options of a command under one title of its help; those without a title stand first. Parsing fills the variables,
/// which must live as long as `app`.
class OptionGroup {
 public:
  explicit OptionGroup(CLI::App& app, std::string title = "") : app_(app), title_(std::move(title)) {}

  /// An option that takes a value, which help calls `type`; a vector takes one each time it is named, and a name
  /// without hyphens is that of a positional.
  template <typename Value>
  CLI::Option* value(const std::string& flags, Value& value, const std::string& type, const std::string& help) const {
    return placed(app_.add_option(flags, value, help)->type_name(type));
  }

  /// An option without a value.
  template <typename Value>
  CLI::Option* flag(const std::string& flags, Value& value, const std::string& help) const {
    return placed(app_.add_flag(flags, value, help));
  }

  /// An option as the job's field of this key is declared; `flags` where a command calls it otherwise.
  template <typename Value>
  CLI::Option* field(const char* key, Value& value, const std::string& flags = "") const {
    const core::JobField& row = core::find_job_field(key);
    const std::string names = flags.empty() ? std::string(row.flags) : flags;
    if constexpr (std::is_same_v<Value, bool>)
      return flag(names, value, core::help_text(row));
    else
      return this->value(names, value, std::string(row.value_name), core::help_text(row));
  }

 private:
  CLI::Option* placed(CLI::Option* option) const { return title_.empty() ? option : option->group(title_); }

  CLI::App& app_;
  std::string title_;
};

}  // namespace lapis::cli
