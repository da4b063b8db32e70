// What is known of approved pictures and latents beside their files: goldens.json in their folder.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lapis::io {

/// One look that was approved.
struct Approval {
  std::string pixels_sha256;  ///< of a picture; "" of a latent
  std::string cpu;            ///< `cpu_class` of the machine that made it
  std::string program;        ///< the version of lapis

  bool operator==(const Approval&) const = default;
};

/// All that was approved of one golden; its file is the first of them.
struct GoldenRecord {
  std::vector<Approval> approved;
  std::string model;         ///< whose network made it, "" for none
  std::string model_sha256;  ///< of the names and digests of that model's files
};

/// By the names of their files.
using GoldenRecords = std::map<std::string, GoldenRecord>;

/// Those of a folder; none where it has no goldens.json. Throws Error{input} for one that cannot be read or is none.
GoldenRecords read_golden_records(const std::filesystem::path& folder);

/// Writes them, sorted, a line for each fact, for version control. Throws as `write_file`.
void write_golden_records(const std::filesystem::path& folder, const GoldenRecords& records);

/// What of this machine's CPU decides how sums are rounded: "x86_64 AuthenticAMD 25 1 avx2", its maker,
/// family and model, and its units.
std::string cpu_class();

}  // namespace lapis::io
