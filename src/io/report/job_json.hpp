// The settings that a file of lapis holds, as a job again.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lapis/job.hpp"

namespace lapis::io {

/// What `provenance` wrote: every field of its "job". `name` is the file that holds it. Throws Error{input} for text
/// that is no such JSON, for a field of another type, and for one that no job records (`core::is_recorded`).
Job job_from_json(std::string_view text, const std::string& name);

/// The sha256 of each LoRA that was at work in what `provenance` wrote, by name. Throws Error{input} for text that is
/// no such JSON.
std::map<std::string, std::string> lora_digests(std::string_view text, const std::string& name);

}  // namespace lapis::io
