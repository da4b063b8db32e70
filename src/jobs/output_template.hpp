// What the outputs of the jobs of a batch are called.
#pragma once

#include <filesystem>
#include <string>

#include "jobs/job_list.hpp"

namespace lapis::jobs {

/// Text as part of a file's name: letters, digits, "." and "_" stay, all else becomes "-", once between two words; at
/// most 80 bytes, cut between characters.
std::string safe_name(const std::string& text);

/// Throws Error{usage} for a template that is none, and for standard output, which reports go to. `key` is of the field
/// that has it.
void check_template(const std::string& pattern, const char* key);

/// Puts into `job.said` where its outputs go: the words "{line}", "{name}", "{model}" and "{prompt}" of its templates
/// are filled, for `model`, its name; "{seed}" and "{index}" are left. A template that is a folder, by its last "/" or
/// because it is one, gets "{line:04}" and the ending of what the command makes. Throws as `check_template`, and
/// Error{usage} for a name that the job has not.
void name_outputs(BatchJob& job, const std::string& model);

/// The folder of a template before the first word in it.
std::filesystem::path folder_of(const std::string& output);

/// Where outputs go that nothing is said of.
inline constexpr const char* default_output = "lapis-batch/";

}  // namespace lapis::jobs
