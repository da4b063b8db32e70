// Where results go: what is written, what is there already and stays, and what is told of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/stopwatch.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// What is done about files that are there already. Without either they are in the way.
struct OutputPolicy {
  bool overwrite = false;      ///< they are replaced
  bool skip_existing = false;  ///< they stay, and no work is done for them
};

/// Throws Error{usage} where what is there is both to be replaced and to stay.
void check_output(const OutputPolicy& policy);

/// Whether a file lies at `path` that is to stay.
bool stays(const OutputPolicy& policy, const std::string& path);

/// One output of a request.
struct Output {
  std::string path;          ///< "-": standard output
  std::optional<int> index;  ///< of the picture that it shows, where pictures are counted, from 0
  bool stays = false;        ///< it is there, and nothing is written
};

/// The outputs of pictures that are counted, by their names.
std::vector<Output> picture_outputs(std::vector<std::string> names);

/// Decides which outputs stay, and tries the others: what would fail only after the work is done fails before it.
/// Throws as `check_output` and `io::check_writable`; for a file of one of `models` as `ModelCatalog::check_no_output`.
void plan_outputs(std::span<Output> outputs, const OutputPolicy& policy, const ModelCatalog& models = {});

/// Places of the outputs that are written, rising.
std::vector<int> written_places(std::span<const Output> outputs);

/// Paths of those that stay.
std::vector<std::string> paths_that_stay(std::span<const Output> outputs);

/// Whether nothing is left to be written.
bool all_stay(std::span<const Output> outputs);

/// The whole path that a name leads to, there or not, without links.
std::filesystem::path real_path(const std::string& name);

/// Whether two names lead to one file, there or not.
bool is_same_file(const std::string& one, const std::string& other);

/// What a caller does with results.
struct Outlet {
  OutputPolicy policy;
  std::function<void(std::span<const std::byte>)> standard_output;  ///< takes the bytes of outputs called "-"
  bool reports = false;  ///< a line of JSON is wanted about everything that is written
  std::function<std::string(std::string_view)>
      spelled;              ///< of names in the texts of those lines; without it they are plain
  core::Stopwatch started;  ///< what the total of their seconds counts from
};

/// `texts` as the lines of an outlet spell them.
std::vector<std::string> spelled(std::vector<std::string> texts, const Outlet& outlet);

/// An output that was written.
struct Written {
  std::string path;    ///< "-": standard output
  std::string sha256;  ///< of its bytes, where the outlet wants reports
  std::string line;    ///< a report of it in JSON, where the outlet wants them
};

/// Makes the report of an output out of its sha256 and the seconds that saving it took.
using Report = std::function<std::string(const std::string& sha256, double seconds)>;

/// Writes an output, whose saving began with `saving`, whole or not at all. Throws as `io::write_file`, or as
/// `Outlet::standard_output`.
Written write_output(const std::string& path, std::span<const std::byte> bytes, const Outlet& outlet,
                     const core::Stopwatch& saving, const Report& report);

}  // namespace lapis::pipeline
