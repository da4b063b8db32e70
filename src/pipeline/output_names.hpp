// Where each picture of a job goes, and each latent of pictures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lapis::pipeline {

/// A file to write: `output`, or where that names a folder, by its last "/" or because it is one, `usual` in it.
std::string in_folder(const std::string& output, const std::string& usual);

/// One name for each picture out of a template: "{seed}" and "{index}" (from 0) stand for the picture's. With more than
/// one picture and neither word, "-{index}" goes before the extension. "-" is standard output, for one picture.
/// A device or a pipe is written to as it is. Throws Error{usage} for another word in braces, for an ending that is not
/// .png (in any case), or for "-" with more than one picture.
class OutputNames {
 public:
  OutputNames(const std::string& pattern, std::uint64_t first_seed, int count);

  std::string name(int index) const;
  bool is_stdout() const { return pattern_ == "-"; }

 private:
  std::string pattern_;
  std::uint64_t first_seed_;
};

/// Where the latents of some pictures go: all into one file, or each into its own where the template says "{index}"
/// (from 0) or "{name}", the picture's file name without its folder and its ending. "-" is standard output, for one
/// file. Throws Error{usage} for another word in braces, and for two pictures that would share a name.
class LatentNames {
 public:
  LatentNames(const std::string& pattern, const std::vector<std::string>& pictures);

  /// One file for each of: all pictures, or every single one.
  const std::vector<std::string>& files() const { return files_; }
  bool is_one_file() const { return is_one_file_; }
  bool is_stdout() const { return files_.front() == "-"; }

 private:
  bool is_one_file_;
  std::vector<std::string> files_;
};

}  // namespace lapis::pipeline
