// Jobs as JSON has them: the settings that a file of lapis holds, and lines that people and programs write.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/job.hpp"

namespace lapis::io {

/// What `provenance` wrote: every field of its "job". `name` is the file that holds it. Throws Error{input} for text
/// that is no such JSON, for a field of another type, and for one that no job records (`core::is_recorded`).
Job job_from_json(std::string_view text, const std::string& name);

/// One line of a list of jobs (docs/batch.md).
struct JobLine {
  std::string command = "generate";          ///< or "refine", "encode", "decode", "convert"
  std::string name;                          ///< of the job, where it has one
  Job job;                                   ///< what is said of the fields of a job
  std::set<std::string> named;               ///< keys of those fields
  std::vector<std::string> inputs;           ///< files that the command takes: a latent, pictures
  std::map<std::string, std::string> words;  ///< of what is no field of a job, by key: "to", "in_units"; "on", "off"
  bool is_settings = false;                  ///< what `provenance` wrote, which has digests of models and LoRAs too
  bool is_record = false;                    ///< that lapis wrote of a picture: files that it began with are digests
};

/// Names of the commands that a line can be.
std::vector<std::string> line_commands();

/// Whether a field can be said of that command.
bool takes_field(std::string_view command, std::string_view key);

/// A line by hand, a result line of `generate`, or what `provenance` wrote; of the latter two only the fields of the
/// job are taken. `name` begins every message ("jobs.jsonl, line 3"). Throws Error{input} for what is no such JSON,
/// with the nearest key for one that the command does not know.
JobLine read_job_line(std::string_view text, const std::string& name);

/// The sha256 of each LoRA that was at work in what `provenance` wrote, by name. Throws Error{input} for text that is
/// no such JSON.
std::map<std::string, std::string> lora_digests(std::string_view text, const std::string& name);

}  // namespace lapis::io
