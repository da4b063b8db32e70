// A suite of cases, done in one process and held against what was approved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/report/smoke_report.hpp"
#include "jobs/shard.hpp"
#include "lapis/events.hpp"

namespace lapis::jobs {

/// What is asked.
struct SmokeAsked {
  std::filesystem::path suite;
  std::vector<std::string> words;  ///< of the names of cases (`selected`)
  std::optional<Shard> shard;
  bool update = false;                                          ///< what is made is approved
  std::vector<std::string> updated;                             ///< of these cases alone, where there are any
  std::filesystem::path kept;                                   ///< folder of what is kept of failures
  std::uint64_t memory = 0;                                     ///< bytes of weights that may stay between cases
  std::function<std::string(const std::string& name)> again;    ///< the line that runs a case
  std::function<std::string(const std::string& name)> approve;  ///< the line that approves it
};

/// What is told on the way.
struct SmokeEvents {
  std::function<bool()> stop;
  std::function<void(const io::SmokeCase&)> ended;
  std::function<void(std::size_t ended, std::size_t all)> progress;
};

/// Does the cases. Their outputs lie in a temporary folder, which is removed; of an output that is not as approved,
/// what was made, what was approved and the difference are kept. Files in the folder of goldens that no case owns are
/// faults. Throws as `io::read_suite`, `check_suite`, `selected` and `io::read_golden_records`, and Error{output} where
/// nothing can be written; what goes wrong within a case is a fault of it. After a stop the report has the cases that
/// were ended.
io::SmokeReport run_smoke(const SmokeAsked& asked, const SmokeEvents& events);

}  // namespace lapis::jobs
