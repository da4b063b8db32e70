// The cases of a suite: whether they make sense together, which are done here and in which order, and their jobs.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/report/suite_json.hpp"
#include "jobs/job_list.hpp"
#include "jobs/shard.hpp"

namespace lapis::jobs {

/// Names of the cases that must be done before: those whose outputs it reads ("{NAME}" for a file), and the one that
/// its time is held against; each once.
std::vector<std::string> needs(const io::SuiteCase& test);

/// Throws Error{input} for files outside of the suite's folder, for cases that are needed and not there or make
/// nothing, for those that need each other in a circle, and for two that a golden could be of.
void check_suite(const io::Suite& suite);

/// The cases whose names hold one of `words`, or are one of them where they are `whole`; all where there are none; and
/// those that they need. Every case comes after those that it needs. Of a shard cases that need each other stay
/// together. Throws Error{usage} for a word that no name holds. The suite must have passed `check_suite`.
std::vector<const io::SuiteCase*> selected(const io::Suite& suite, std::span<const std::string> words,
                                           const std::optional<Shard>& shard, bool whole = false);

/// The job of a case, with files found from the suite's folder, and its output, named after the case, in `folder`.
/// `made` are outputs of the cases that it needs, by their names.
BatchJob job_of(const io::SuiteCase& test, const io::Suite& suite, const std::filesystem::path& folder,
                const std::map<std::string, std::string>& made);

/// Whether a file with this name, "house.png" or "house-1.png" of several, holds an output of the case.
bool owns(const io::SuiteCase& test, const std::filesystem::path& file);

}  // namespace lapis::jobs
