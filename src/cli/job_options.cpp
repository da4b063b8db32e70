#include "cli/job_options.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/option_group.hpp"
#include "core/job/job_fields.hpp"
#include "pipeline/job_words.hpp"

namespace lapis::cli {
namespace {

using Words = std::vector<std::string>;

/// Declares the option of one field, which may go by `names`.
void declare_field(CLI::App& app, const core::JobField& field, const std::string& names, pipeline::AskedJob& asked,
                   StdinUse& use) {
  const std::string group(core::group_title(field.group));
  if (std::holds_alternative<bool Job::*>(field.member)) {
    const auto set = [&asked, &field] { pipeline::say(asked, field, "true"); };
    app.add_flag_callback(names, set, core::help_text(field))->group(group);
    return;
  }
  const auto set = [&asked, &use, &field](const Words& words) {
    const bool is_text = field.group == core::FieldGroup::prompt;
    for (const std::string& word : words) {
      if (pipeline::reads_stdin(field, word)) {
        take_stdin(use, std::string(core::long_flag(field)),
                   is_text ? "Put one into a file: @FILE" : "Put one into a file");
      }
      pipeline::say(asked, field, word);
    }
  };
  const bool list = std::holds_alternative<Words Job::*>(field.member);
  app.add_option_function<Words>(names, set, core::help_text(field))
      ->type_name(std::string(field.value_name))
      ->group(group)
      ->expected(1)
      ->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
}

}  // namespace

void declare_job_options(CLI::App& app, pipeline::AskedJob& asked, StdinUse& use, std::string_view positional,
                         std::span<const std::string_view> left_out) {
  for (const core::JobField& field : core::job_fields()) {
    if (std::ranges::find(left_out, field.key) != left_out.end()) continue;
    const bool is_positional = field.key == positional;
    declare_field(app, field, std::string(field.flags) + (is_positional ? "," + std::string(field.key) : ""), asked,
                  use);
  }
}

}  // namespace lapis::cli
