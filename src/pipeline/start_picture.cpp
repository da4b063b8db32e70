#include "pipeline/start_picture.hpp"

#include <cmath>
#include <utility>

#include "core/latent/latents.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/picture/picture_file.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

std::pair<int, int> upright_size(const io::PictureFacts& facts) {
  return facts.orientation >= 5 ? std::pair(facts.height, facts.width) : std::pair(facts.width, facts.height);
}

/// What a fit did, in a word; shapes that differ by less than a multiple of the sides count as one.
std::string resize_text(core::ResizeMode fit, double shape, double own_shape) {
  switch (fit) {
    case core::ResizeMode::crop: return "scaled and cropped";
    case core::ResizeMode::pad: return "scaled and padded";
    case core::ResizeMode::stretch: break;
  }
  const bool keeps_shape = std::abs(std::log(shape / own_shape)) <= 0.05;
  return keeps_shape ? "scaled" : core::sentence("stretched ({fit} crop and pad keep its shape)");
}

}  // namespace

StartPicture::File StartPicture::open(const std::string& path) {
  return look_at({path == "-" ? io::standard_input : path, io::read_picture_file(path)});
}

StartPicture::File StartPicture::look_at(Bytes picture) {
  File file{std::move(picture.name), std::move(picture.bytes), {}};
  file.facts = io::read_picture_facts(file.bytes, file.name);
  io::check_picture_memory(file.bytes, file.facts, file.name);
  return file;
}

StartPicture::StartPicture(Job& job, const Model& model, std::optional<Bytes> picture)
    : image_(picture ? look_at(std::move(*picture)) : open(*job.image)) {
  const auto [width, height] = upright_size(image_.facts);
  if (job.mask) {
    mask_ = open(*job.mask);
    if (const auto [mask_width, mask_height] = upright_size(mask_->facts);
        mask_width != width || mask_height != height) {
      throw Error(ErrorKind::input,
                  core::sentence("{} is {} pixels and {} is {}.", mask_->name,
                                 core::size_text({mask_width, mask_height}), image_.name,
                                 core::size_text({width, height})),
                  "Give a mask of the picture's size");
    }
    job.mask = "sha256:" + io::sha256(mask_->bytes);
  }
  core::take_size(job, model, width, height);
  job.image = "sha256:" + io::sha256(image_.bytes);
}

core::Pixels StartPicture::read_upright(const File& file) {
  core::Pixels pixels = core::upright(io::read_pixels(file.bytes, file.facts, file.name), file.facts.orientation);
  if (file.facts.orientation != 1) {
    notes_.push_back(core::sentence("{} was {}, as its Exif data say", file.name,
                                    core::orientation_text(file.facts.orientation)));
  }
  return pixels;
}

FittedPicture StartPicture::fitted(const ResolvedJob& job, int downscale) {
  const core::ResizeMode fit = core::find_resize_mode(*job.fit).fit;
  core::Pixels picture = read_upright(image_);
  if (core::has_holes(picture))
    notes_.push_back(core::sentence("{} is transparent in places: laid over white", image_.name));
  picture = core::flattened(std::move(picture), 255);
  if (picture.width != job.width || picture.height != job.height) {
    const double own_shape = static_cast<double>(picture.width) / picture.height;
    notes_.push_back(core::sentence("{} is {} pixels: {} to {}", image_.name,
                                    core::size_text({picture.width, picture.height}),
                                    resize_text(fit, static_cast<double>(job.width) / job.height, own_shape),
                                    core::size_text({job.width, job.height})));
  }
  FittedPicture result{core::rgb_image(core::fitted(picture, job.width, job.height, fit)), std::nullopt};
  if (!mask_) return result;
  core::Pixels grey = read_upright(*mask_);
  if (core::has_holes(grey))
    notes_.push_back(core::sentence("{} is transparent in places: laid over black", mask_->name));
  grey = core::grey(core::flattened(std::move(grey), 0));
  const bool hard = core::is_hard(core::mask_of(grey));
  Mask mask = core::mask_of(core::fitted(grey, job.width, job.height, fit));
  if (hard) mask = core::hardened(std::move(mask));
  if (core::touches_no_cell(mask, downscale)) {
    throw Error(ErrorKind::input,
                core::sentence("{} lets nothing be drawn: {}.", mask_->name,
                               core::touches_no_cell(mask, 1) ? "it is all black" : "its white is too thin"),
                core::sentence("White marks what is drawn anew, in cells of {} x {} pixels", downscale, downscale));
  }
  result.mask = std::move(mask);
  return result;
}

}  // namespace lapis::pipeline
