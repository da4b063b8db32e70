// The options of a job: one for each row of the job-field table.
#pragma once

#include <span>
#include <string_view>

#include "cli/standard_streams.hpp"
#include "pipeline/asked.hpp"

namespace CLI {
class App;
}

namespace lapis::cli {

/// Declares them on `app`, but for those whose keys are `left_out`; parsing fills `asked` and `use`, which must live as
/// long.
/// Prompts may lie in files. The one called `positional` may stand without its flag too; "" for none.
void declare_job_options(CLI::App& app, pipeline::AskedJob& asked, StdinUse& use, std::string_view positional,
                         std::span<const std::string_view> left_out = {});

}  // namespace lapis::cli
