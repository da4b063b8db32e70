#include "pipeline/start_picture.hpp"

#include <cmath>
#include <utility>

#include "core/latent/latents.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/picture/picture_reader.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

PixelSize upright_size(const io::PictureFacts& facts) {
  return facts.orientation >= 5 ? PixelSize{facts.height, facts.width} : PixelSize{facts.width, facts.height};
}

/// What a resize mode did, in a word; shapes that differ by less than a multiple of the sides count as one.
std::string resize_text(core::ResizeMode mode, double shape, double own_shape) {
  switch (mode) {
    case core::ResizeMode::crop: return "scaled and cropped";
    case core::ResizeMode::pad: return "scaled and padded";
    case core::ResizeMode::stretch: break;
  }
  const bool keeps_shape = std::abs(std::log(shape / own_shape)) <= 0.05;
  return keeps_shape ? "scaled" : core::sentence("stretched ({fit} crop and pad keep its shape)");
}

StartPictureFile looked_at(PictureBytes file) {
  const io::PictureFacts facts = io::read_picture_facts(file.bytes, file.name);
  io::check_picture_memory(file.bytes, facts, file.name);
  return {std::move(file), facts};
}

StartPictureFile opened(const std::string& path) {
  return looked_at({path == "-" ? io::standard_input : path, io::read_picture_file(path)});
}

core::Pixels upright(const StartPictureFile& picture, std::vector<std::string>& notes) {
  const auto& [file, facts] = picture;
  core::Pixels pixels = core::upright(io::read_pixels(file.bytes, facts, file.name), facts.orientation);
  if (facts.orientation != 1)
    notes.push_back(
        core::sentence("{} was {}, as its Exif data say", file.name, core::orientation_text(facts.orientation)));
  return pixels;
}

Image fitted_image(const StartPictureFile& picture, const ResolvedJob& job, core::ResizeMode mode,
                   std::vector<std::string>& notes) {
  const std::string& name = picture.file.name;
  core::Pixels pixels = upright(picture, notes);
  if (core::has_holes(pixels)) notes.push_back(core::sentence("{} is transparent in places: laid over white", name));
  pixels = core::flattened(std::move(pixels), 255);
  if (pixels.width != job.width || pixels.height != job.height) {
    const double own_shape = static_cast<double>(pixels.width) / pixels.height;
    notes.push_back(core::sentence("{} is {} pixels: {} to {}", name, core::size_text({pixels.width, pixels.height}),
                                   resize_text(mode, static_cast<double>(job.width) / job.height, own_shape),
                                   core::size_text({job.width, job.height})));
  }
  return core::rgb_image(core::fitted(pixels, job.width, job.height, mode));
}

Mask fitted_mask(const StartPictureFile& picture, const ResolvedJob& job, core::ResizeMode mode, int downscale,
                 std::vector<std::string>& notes) {
  const std::string& name = picture.file.name;
  core::Pixels grey = upright(picture, notes);
  if (core::has_holes(grey)) notes.push_back(core::sentence("{} is transparent in places: laid over black", name));
  grey = core::grey(core::flattened(std::move(grey), 0));
  const bool hard = core::is_hard(core::mask_of(grey));
  Mask mask = core::mask_of(core::fitted(grey, job.width, job.height, mode));
  if (hard) mask = core::hardened(std::move(mask));
  if (!core::touches_no_cell(mask, downscale)) return mask;
  throw Error(ErrorKind::input,
              core::sentence("{} lets nothing be drawn: {}.", name,
                             core::touches_no_cell(mask, 1) ? "it is all black" : "its white is too thin"),
              core::sentence("White marks what is drawn anew, in cells of {} x {} pixels", downscale, downscale));
}

}  // namespace

StartPicture read_start_picture(Job& job, const Model& model, std::optional<PictureBytes> picture) {
  StartPicture start{picture ? looked_at(std::move(*picture)) : opened(*job.image), std::nullopt};
  const PixelSize size = upright_size(start.image.facts);
  if (job.mask) {
    start.mask = opened(*job.mask);
    const PixelSize mask_size = upright_size(start.mask->facts);
    if (mask_size != size) {
      throw Error(ErrorKind::input,
                  core::sentence("{} is {} pixels and {} is {}.", start.mask->file.name, core::size_text(mask_size),
                                 start.image.file.name, core::size_text(size)),
                  "Give a mask of the picture's size");
    }
    job.mask = "sha256:" + io::sha256(start.mask->file.bytes);
  }
  core::take_size(job, model, size.width, size.height);
  job.image = "sha256:" + io::sha256(start.image.file.bytes);
  return start;
}

FittedPicture fitted(const StartPicture& picture, const ResolvedJob& job, int downscale) {
  const core::ResizeMode mode = core::find_resize_mode(*job.fit).mode;
  FittedPicture result;
  result.image = fitted_image(picture.image, job, mode, result.notes);
  if (picture.mask) result.mask = fitted_mask(*picture.mask, job, mode, downscale, result.notes);
  return result;
}

}  // namespace lapis::pipeline
