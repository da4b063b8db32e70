// The picture a job starts from, and its mask.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "io/picture/picture_reader.hpp"
#include "lapis/image.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// A picture and a mask as the engine takes them: of the job's size.
struct FittedPicture {
  Image image;
  std::optional<Mask> mask;
};

/// Reads the files that `job.image` and `job.mask` name: first their headers alone, then, in `fitted`, their pixels.
class StartPicture {
 public:
  /// A picture file that was read already.
  struct Bytes {
    std::string name;
    std::vector<std::byte> bytes;
  };

  /// Reads the picture that `job.image` names, unless it is given as `picture`. Fills the job's size
  /// (`core::take_size`) and puts digests in place of the two names: what was drawn from must be known, where it lay on
  /// the disk is nobody's business. Throws Error{input} for files that are no pictures, and if the mask has another
  /// size than the picture.
  StartPicture(Job& job, const Model& model, std::optional<Bytes> picture = std::nullopt);

  /// The pixels, turned upright, without alpha, at the size of `job`. Throws Error{input} if they cannot be read, or if
  /// the mask lets nothing be drawn.
  FittedPicture fitted(const ResolvedJob& job, int downscale);

  /// What was done to the pictures, one line each; complete after `fitted`.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct File {
    std::string name;
    std::vector<std::byte> bytes;
    io::PictureFacts facts;
  };

  static File open(const std::string& path);
  static File look_at(Bytes picture);
  core::Pixels read_upright(const File& file);

  File image_;
  std::optional<File> mask_;
  std::vector<std::string> notes_;
};

}  // namespace lapis::pipeline
