#include "pipeline/transcode.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/preview.hpp"
#include "core/latent/units.hpp"
#include "core/picture/colour_drift.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "core/picture/similarity.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

/// Pictures of one size as one, so that a batch has one PSNR: that of all its samples.
Image stacked(const std::vector<Image>& pictures) {
  Image all{pictures.front().width, 0, {}};
  for (const Image& picture : pictures) {
    all.height += picture.height;
    all.rgb.insert(all.rgb.end(), picture.rgb.begin(), picture.rgb.end());
  }
  return all;
}

/// dB to the hundredth: more digits say nothing.
double psnr_of(const std::vector<Image>& before, const std::vector<Image>& after) {
  return std::round(core::psnr(stacked(before), stacked(after)) * 100) / 100;
}

std::string psnr_text(double psnr) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f dB", psnr);
  return text;
}

Image at_size(Image picture, const std::optional<PixelSize>& size) {
  if (!size || *size == PixelSize{picture.width, picture.height}) return picture;
  return core::rgb_image(
      core::resized(core::pixels_of(std::move(picture)), size->width, size->height, core::Filter::lanczos));
}

/// The second half of a crossing: pictures on their way into the target's space.
class Encoding {
 public:
  Encoding(const Model& target, const CrossingOptions& options, Engine& engine)
      : target_(target), options_(options), engine_(engine) {}

  Crossed run(std::vector<Image> pictures, const Passport& origin) {
    Crossed crossed;
    for (Image& picture : pictures) crossed.pictures.push_back(at_size(std::move(picture), options_.size));
    for (const Image& picture : crossed.pictures) add_picture(picture, crossed);
    Crossing crossing{crossed.compensated > 0 ? "re-encode, compensated" : "re-encode",
                      core::space_name(origin.space),
                      core::space_name(target_.space),
                      {crossed.pictures.front().width, crossed.pictures.front().height},
                      std::nullopt};
    if (options_.measure || options_.compensate) crossing.psnr = psnr_of(crossed.pictures, after_);
    if (options_.compensate) crossed.plain_psnr = psnr_of(crossed.pictures, plain_after_);
    Passport passport = origin;
    passport.units = Units::model;
    passport.dtype = LatentDtype::f32;
    passport.vae_sha256 = io::vae_digest(target_);
    passport.history.push_back(std::move(crossing));
    crossed.document = io::to_document(latent_, std::move(passport));
    crossed.timings = timings_;
    return crossed;
  }

 private:
  Latent encoded(const Image& picture) {
    Encoded encoded = engine_.encode(picture, options_.tiling, std::nullopt);
    timings_ += encoded.timings;
    return std::move(encoded.latent);
  }

  Image shown(const Latent& latent) {
    Decoded decoded = engine_.decode(latent, options_.tiling);
    timings_ += decoded.timings;
    return std::move(decoded.images.front());
  }

  void add_picture(const Image& picture, Crossed& crossed) {
    Latent latent = encoded(picture);
    if (options_.measure || options_.compensate) {
      Image after = shown(latent);
      if (options_.compensate) {
        plain_after_.push_back(after);
        if (compensate(picture, latent, after)) ++crossed.compensated;
      }
      after_.push_back(std::move(after));
    }
    core::append(latent_, std::move(latent));
  }

  /// Encodes `picture` once more with its colours shifted; keeps that if it comes back nearer.
  bool compensate(const Image& picture, Latent& latent, Image& after) {
    Latent other = encoded(core::compensated(picture, core::colour_drift(picture, after)));
    Image other_after = shown(other);
    if (core::psnr(picture, other_after) <= core::psnr(picture, after)) return false;
    latent = std::move(other);
    after = std::move(other_after);
    return true;
  }

  const Model& target_;
  const CrossingOptions& options_;
  Engine& engine_;
  Latent latent_;
  std::vector<Image> after_;        ///< as the target's VAE shows what it encoded
  std::vector<Image> plain_after_;  ///< the same without compensation
  Timings timings_;
};

}  // namespace

core::Destination destination_of(const Model& model) {
  core::Destination destination;
  destination.name = model.name;
  destination.space = model.space;
  destination.vae_sha256 = io::vae_digest(model);
  destination.has_vae = [model](const std::string& digest) { return io::has_vae(model, digest); };
  destination.size_multiple = core::find_family(model.family)->size_multiple;
  destination.path = path_of(model.sampling.prediction);
  return destination;
}

void verify_crossing(const Model& own, const Model& target) {
  io::verify_parts(own, std::array<std::string, 1>{"vae_decoder"});
  io::verify_parts(target, std::array<std::string, 2>{"vae_encoder", "vae_decoder"});
}

Crossed cross(const io::LatentDocument& document, const Model& own, const Model& target, const CrossingOptions& options,
              Engine& engine) {
  engine.use(own);
  Decoded decoded = engine.decode(in_space(io::to_latent(document), own.space), options.tiling);
  engine.use(target);
  Crossed crossed = cross_pictures(std::move(decoded.images), document.passport, target, options, engine);
  crossed.document.extra = document.extra;
  crossed.timings += decoded.timings;
  return crossed;
}

Crossed cross_pictures(std::vector<Image> pictures, const Passport& passport, const Model& target,
                       const CrossingOptions& options, Engine& engine) {
  return Encoding(target, options, engine).run(std::move(pictures), passport);
}

const core::LineageRow& colours_of(const std::string& file, const Space& space) {
  if (const core::LineageRow* lineage = core::find_colours(space)) return *lineage;
  throw Error(ErrorKind::incompatible,
              file + " is in space " + core::space_name(space) +
                  ", and no colours of its channels are known, so there is no preview of it.",
              "Decode it by its VAE: lapis decode, without --preview");
}

Latent in_space(Latent latent, const Space& space) {
  core::rescale(latent.values, latent.shape, latent.space, space);
  latent.space = space;
  return latent;
}

void count_measuring(const CrossingOptions& options, core::Ruling& ruling) {
  if (ruling.verdict != core::Verdict::re_encode) return;
  ruling.decodes += options.compensate ? 2 : options.measure ? 1 : 0;
  ruling.encodes += options.compensate ? 1 : 0;
}

io::LatentDocument rescaled(const io::LatentDocument& document, const Space& space, Units units) {
  io::LatentDocument result = document;
  Passport& passport = result.passport;
  const Space& from = document.passport.space;
  const bool same = core::same_numbers(from, space);
  const bool stays_raw = document.passport.units == Units::vae && units == Units::vae;
  if (!stays_raw && !(same && document.passport.units == units)) {
    if (document.passport.units == Units::model) core::to_vae_units(result.values, passport.shape, from);
    if (units == Units::model) core::to_model_units(result.values, passport.shape, space);
  }
  passport.units = units;
  passport.space = space;
  if (!same) {
    passport.history.push_back(
        {"rescale", core::space_name(from), core::space_name(space), core::picture_size(passport), std::nullopt});
  }
  return result;
}

std::string announcement(const std::string& file, const Crossing& crossing) {
  std::string text = file + ": " + crossing.from + " -> " + crossing.to + ", ";
  if (crossing.route == "rescale") return text + "the same VAE's values by other numbers";
  text += "decoded and encoded again at " + core::size_text(crossing.size);
  return crossing.psnr ? text + ", PSNR " + psnr_text(*crossing.psnr) : text;
}

std::string announcement(const std::string& file, const Crossed& crossed) {
  const std::string text = announcement(file, crossed.document.passport.history.back());
  if (!crossed.plain_psnr) return text;
  if (crossed.compensated == 0) return text + ", shifted colours came no nearer";
  return text + ", colours compensated (" + psnr_text(*crossed.plain_psnr) + " without)";
}

}  // namespace lapis::pipeline
