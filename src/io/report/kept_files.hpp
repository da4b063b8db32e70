// Files that smoke keeps of what failed, and which of those in a folder it wrote itself.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace lapis::io {

/// The folder of what is kept of one suite's failures. What was written stands beside it, in ".lapis-smoke.json", with
/// its digest.
class KeptFiles {
 public:
  KeptFiles(std::filesystem::path folder, const std::filesystem::path& suite);

  /// Removes what was kept of this case and is as it was written. Throws as `write_file`.
  void clear(const std::string& name) const;

  /// Keeps a file of a case, in a folder that is made; its path. Throws as `write_file`.
  std::string write(const std::string& name, const std::string& file, std::span<const std::byte> bytes) const;

 private:
  std::filesystem::path record() const;

  std::filesystem::path folder_;
  std::string suite_;  ///< its whole path: two suites may share a folder
};

}  // namespace lapis::io
