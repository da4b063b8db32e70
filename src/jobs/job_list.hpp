// The jobs of a batch, in the order in which they are written: lines of a file or a pipe, prompts, and axes over both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/file/line_reader.hpp"
#include "io/report/job_json.hpp"
#include "jobs/axes.hpp"
#include "jobs/text_key.hpp"
#include "lapis/error.hpp"
#include "pipeline/asked.hpp"

namespace lapis::jobs {

/// Where a job stands in its list: all that makes it again.
struct JobPlace {
  std::string text;         ///< of its line
  std::size_t line = 0;     ///< of the file, from 1; 0 where there is none
  std::size_t product = 0;  ///< among the combinations of its line with prompts and axes
  std::size_t number = 0;   ///< among all jobs of the list, from 1
  std::uint64_t seed = 0;   ///< where it names none: the same for the same line, whenever it is read
};

/// As much of a place as people are told.
struct JobPoint {
  std::size_t line = 0;
  std::size_t number = 0;

  bool operator==(const JobPoint&) const = default;
};

/// One job as it is asked.
struct BatchJob {
  JobPlace place;
  std::size_t line = 0;             ///< of the file where one line is one job, else its number; from 1
  std::string where;                ///< begins messages: "jobs.jsonl, line 3"
  io::JobLine said;                 ///< with the defaults, the prompt and the values of the axes
  std::set<std::string> overruled;  ///< keys of what prompts and axes say on top of its line
  std::optional<Error> fault;       ///< why it is none
};

inline JobPoint point_of(const BatchJob& job) { return {job.place.line, job.place.number}; }

/// Where jobs come from.
struct ListAsked {
  std::string file;     ///< of lines of JSON, "-" for standard input; empty: one line that says nothing
  std::string prompts;  ///< a file with a prompt on each line; empty: none
  std::vector<Axis> axes;
  pipeline::AskedJob defaults;  ///< of what lines do not say
};

/// The error with the place of its job in front.
Error at(const std::string& where, const Error& error);

/// Reads a list job by job, so that one from a pipe can be done while it is written. For each line come all prompts,
/// and for each of those all combinations of the axes, the last axis changing fastest. Blank lines are none.
class JobList {
 public:
  /// Throws Error{input} for files that cannot be read, Error{usage} for prompts that are none.
  explicit JobList(ListAsked asked);

  /// The next job, which may be a fault; none at the end.
  std::optional<BatchJob> next();

  /// How many came so far.
  std::size_t count() const { return count_; }

  /// The job that stood there, which was none that is a fault.
  BatchJob again(const JobPlace& place) const;

  /// A point as messages begin: "jobs.jsonl, line 3".
  std::string where(const JobPoint& point) const;

  /// What becomes readable when `next` need not wait; none where a job is at hand.
  std::optional<int> awaited() const;

 private:
  std::optional<BatchJob> next_line();
  std::string line_text(std::size_t line) const;
  BatchJob parsed(const std::string& text, std::size_t line) const;
  void fill(BatchJob& job) const;
  std::size_t products() const;
  std::uint64_t next_seed(const JobPlace& place);

  ListAsked asked_;
  std::vector<std::string> prompts_;
  std::optional<io::LineReader> lines_;
  bool is_product_;
  std::optional<BatchJob> line_;                                  ///< whose product is under way
  std::size_t place_ = 0;                                         ///< in its product
  std::size_t count_ = 0;                                         ///< of jobs so far
  std::unordered_map<TextKey, std::uint32_t, TextKeyHash> seen_;  ///< how often each text came
};

}  // namespace lapis::jobs
