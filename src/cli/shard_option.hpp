// --shard, as several commands take it.
#pragma once

#include <optional>
#include <string>

#include "cli/option_group.hpp"
#include "jobs/shard.hpp"

namespace lapis::cli {

/// Declares it; `said` must live as long as the group's application.
void declare_shard(const OptionGroup& group, std::string& said);

/// What was said: a part, or that of a scheduler's environment for "auto", which is noted on stderr; none for nothing.
/// Throws Error{usage}, also where no scheduler has set one.
std::optional<jobs::Shard> shard_of(const std::string& said);

}  // namespace lapis::cli
