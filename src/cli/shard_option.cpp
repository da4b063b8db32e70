#include "cli/shard_option.hpp"

#include <cstdlib>

#include "cli/terminal.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

void declare_shard(const OptionGroup& group, std::string& said) {
  group.value("--shard", said, "I/N|auto", "The I-th of N parts; auto: as the scheduler of an array of jobs sets it");
}

std::optional<jobs::Shard> shard_of(const std::string& said) {
  if (said.empty()) return std::nullopt;
  if (said != "auto") return jobs::parse_shard(said);
  const std::optional<jobs::Shard> shard = jobs::scheduled_shard([](const char* name) { return std::getenv(name); });
  if (!shard) {
    throw Error(ErrorKind::usage, "--shard auto: no scheduler has set which part this is. Say it: --shard 2/4");
  }
  print_note(jobs::shard_text(*shard));
  return shard;
}

}  // namespace lapis::cli
