// Where each picture of a job goes.
#pragma once

#include <cstdint>
#include <string>

namespace lapis::cli {

/// One name for each picture out of a template: "{seed}" and "{index}" (from 0) stand for the picture's. With more than
/// one picture and neither word, "-{index}" goes before the extension. "-" is standard output, for one picture.
/// Throws Error{usage} for another word in braces, or for "-" with more than one picture.
class OutputNames {
 public:
  OutputNames(const std::string& pattern, std::int64_t first_seed, int count);

  std::string name(int index) const;
  bool is_stdout() const { return pattern_ == "-"; }

 private:
  std::string pattern_;
  std::int64_t first_seed_;
};

}  // namespace lapis::cli
