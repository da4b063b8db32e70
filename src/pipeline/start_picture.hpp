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

/// A picture file that was read.
struct PictureBytes {
  std::string name;
  std::vector<std::byte> bytes;
};

/// A picture file whose header was looked at.
struct StartPictureFile {
  PictureBytes file;
  io::PictureFacts facts;
};

/// What a job starts from.
struct StartPicture {
  StartPictureFile image;
  std::optional<StartPictureFile> mask;
};

/// Reads the files that `job.image` and `job.mask` name, unless the picture is given as `picture`, and looks at their
/// headers alone. Fills the job's size (`core::take_size`) and puts digests in place of the two names: what was drawn
/// from must be known, where it lay on the disk must not. Throws Error{input} for files that are no pictures, and if
/// the mask has another size than the picture.
StartPicture read_start_picture(Job& job, const Model& model, std::optional<PictureBytes> picture = std::nullopt);

/// A picture and a mask as the engine takes them: of the job's size.
struct FittedPicture {
  Image image;
  std::optional<Mask> mask;
  std::vector<std::string> notes;  ///< what was done to them, one line each
};

/// The pixels, turned upright, without alpha, at the size of `job`, for a model whose cells are `downscale` pixels
/// wide. Throws Error{input} if they cannot be read, or if the mask lets nothing be drawn.
FittedPicture fitted(const StartPicture& picture, const ResolvedJob& job, int downscale);

}  // namespace lapis::pipeline
