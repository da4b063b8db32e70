// Suites of named jobs, and what each of them must come to (docs/smoke.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/picture/tolerance.hpp"
#include "io/report/job_json.hpp"

namespace lapis::io {

/// How long a case may take beside another one.
struct TimeRatio {
  std::string other;  ///< its name
  double at_most = 0;
};

/// A job and what it must come to.
struct SuiteCase {
  std::string name;
  std::string where;   ///< begins messages
  JobLine job;         ///< files as the suite names them
  bool golden = true;  ///< its outputs are held against approved ones
  core::AskedTolerance tolerance;
  core::AskedTolerance other_machine;
  int exit = 0;  ///< the exit code that the command alone must have
  std::optional<TimeRatio> time;
  std::optional<std::uint64_t> memory;  ///< bytes at most, of the whole program while it does this
};

/// Cases in the order of the file.
struct Suite {
  std::filesystem::path file;
  std::filesystem::path folder;    ///< of the file; empty: the one the program runs in
  std::filesystem::path goldens;   ///< the folder of what was approved
  core::AskedTolerance tolerance;  ///< of pictures
  core::AskedTolerance latent_tolerance;
  core::AskedTolerance other_machine;  ///< of goldens that a CPU of another class made
  core::AskedTolerance latent_other_machine;
  std::vector<SuiteCase> cases;
};

/// Reads a suite. Throws Error{input} for what cannot be read or is none: with the place, and the nearest key for one
/// that is unknown; for a case whose name is no safe part of a file's name or is there twice; and for goldens that lie
/// outside of the suite's folder.
Suite read_suite(const std::filesystem::path& file);

/// A suite to begin with, of this model, as a text.
std::string first_suite(const std::string& model);

/// Whether a name leads out of the folder that it is relative to, whatever links lie there.
bool leads_out(const std::filesystem::path& name);

}  // namespace lapis::io
