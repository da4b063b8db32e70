// What `compare` writes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/compare.hpp"
#include "pipeline/outputs.hpp"

namespace lapis::pipeline {

/// Files that are asked for; empty: none.
struct CompareOutputNames {
  std::string diff;   ///< the difference as a picture
  std::string junit;  ///< a report in JUnit's XML
};

/// The same, decided.
struct CompareOutputs {
  std::optional<Output> diff;
  std::optional<Output> junit;

  std::vector<Output> all() const;
  /// Whether the picture is to be drawn: it is asked for, and not there to stay.
  bool draws() const { return diff && !diff->stays; }
};

/// Decides about the files, before anything is read. Throws Error{usage} for standard output, for a picture whose name
/// does not end in .png, and for a file that is one of `inputs` or the other output; and as `plan_outputs`.
CompareOutputs plan_compare_outputs(const CompareOutputNames& names, std::span<const std::string> inputs,
                                    const OutputPolicy& policy);

/// Writes those that do not stay, and says their paths. Throws as `io::write_file`.
std::vector<std::string> save(const Comparison& comparison, const CompareOutputs& outputs, const OutputPolicy& policy);

}  // namespace lapis::pipeline
