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
  std::string diff;   ///< the difference as a picture; of folders, a folder of those of pairs that differ
  std::string junit;  ///< a report in JUnit's XML
};

/// The same, decided.
struct CompareOutputs {
  std::optional<Output> diff;  ///< of two files
  std::optional<Output> junit;
  std::string diff_folder;  ///< of two folders

  std::vector<Output> all() const;
  /// Whether the picture is to be drawn: it is asked for, and not there to stay.
  bool draws() const { return diff && !diff->stays; }
};

/// Decides about the files, before anything is read; of two folders, `inputs`, the differences go to a folder. Throws
/// Error{usage} for standard output, for a picture whose name does not end in .png, for a file that is compared or the
/// other output, and for a folder in one of `inputs`; Error{output} for a folder with something in it where
/// `policy` does not say what becomes of that; and as `plan_outputs`.
CompareOutputs plan_compare_outputs(const CompareOutputNames& names, std::span<const std::string> inputs,
                                    const OutputPolicy& policy);

/// Writes the difference of the pair of this name into the folder of differences, unless it stays: "a.png", and
/// "a.safetensors.png" of what is no PNG. Whether it did. Throws as `io::write_file`.
bool save_drawing(const std::string& name, const Image& drawing, const CompareOutputs& outputs,
                  const OutputPolicy& policy);

/// Writes those that do not stay, and says their paths. Throws as `io::write_file`.
std::vector<std::string> save(const Comparison& comparison, const CompareOutputs& outputs, const OutputPolicy& policy);

}  // namespace lapis::pipeline
