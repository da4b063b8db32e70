// A picture file for the tests of what reads one.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace lapis::test {

/// A PNM file of one grey, 100 unless another `sample` is said, for as long as it lives.
class PictureFile {
 public:
  PictureFile(const std::string& name, int width, int height, char sample = 'd')
      : path_(std::filesystem::temp_directory_path() / name) {
    std::ofstream file(path_, std::ios::binary);
    file << "P6\n"
         << width << " " << height << "\n255\n"
         << std::string(static_cast<std::size_t>(width * height * 3), sample);
  }
  ~PictureFile() { std::filesystem::remove(path_); }
  PictureFile(const PictureFile&) = delete;
  PictureFile& operator=(const PictureFile&) = delete;

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace lapis::test
