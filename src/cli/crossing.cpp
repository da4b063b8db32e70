#include "cli/crossing.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "cli/engine_library.hpp"
#include "cli/places.hpp"
#include "core/colour_drift.hpp"
#include "core/families.hpp"
#include "core/model_check.hpp"
#include "core/pixels.hpp"
#include "core/resize.hpp"
#include "core/similarity.hpp"
#include "core/spaces.hpp"
#include "core/units.hpp"
#include "io/model_folder.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
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

void add(const Timings& part, Timings& sum) {
  sum.load += part.load;
  sum.vae_encoder += part.vae_encoder;
  sum.vae_decoder += part.vae_decoder;
  sum.pixels += part.pixels;
}

/// One crossing under way.
class Way {
 public:
  Way(const Model& own, const Model& target, const CrossingOptions& options, const EngineOptions& place)
      : own_(own), target_(target), options_(options), place_(place) {}

  Crossed run(const io::LatentDocument& document) {
    open();
    Crossed crossed;
    crossed.pictures = decoded(document);
    for (const Image& picture : crossed.pictures) add_picture(picture, crossed);
    Crossing crossing{crossed.compensated > 0 ? "re-encode, compensated" : "re-encode",
                      core::space_name(document.passport.space),
                      core::space_name(target_.space),
                      {crossed.pictures.front().width, crossed.pictures.front().height},
                      std::nullopt};
    if (options_.measure || options_.compensate) crossing.psnr = psnr_of(crossed.pictures, after_);
    if (options_.compensate) crossed.plain_psnr = psnr_of(crossed.pictures, plain_after_);
    Passport passport = document.passport;
    passport.space = target_.space;
    passport.units = Units::model;
    passport.dtype = LatentDtype::f32;
    passport.shape = latent_.shape;
    passport.vae_sha256 = io::vae_digest(target_);
    passport.history.push_back(std::move(crossing));
    crossed.document = io::to_document(latent_, std::move(passport));
    crossed.document.extra = document.extra;
    crossed.timings = timings_;
    crossed.engine_seconds = engine_seconds_;
    return crossed;
  }

 private:
  /// The engines are never destroyed: the program leaves through _exit.
  void open() {
    std::future<std::unique_ptr<Engine>> opening = open_engine(place_);
    const std::vector<std::string> decoder = {"vae_decoder"};
    const std::vector<std::string> both = {"vae_encoder", "vae_decoder"};
    io::verify_parts(own_, decoder);
    io::verify_parts(target_, both);
    const auto waiting = std::chrono::steady_clock::now();
    own_engine_ = opening.get().release();
    engine_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - waiting).count();
    own_engine_->use(own_);
    target_engine_ = open_engine(place_).get().release();
    target_engine_->use(target_);
  }

  std::vector<Image> decoded(const io::LatentDocument& document) {
    Decoded decoded = own_engine_->decode(in_space(io::to_latent(document), own_.space), options_.tiling);
    add(decoded.timings, timings_);
    for (Image& picture : decoded.images) {
      const PixelSize size = options_.size.value_or(PixelSize{picture.width, picture.height});
      if (size == PixelSize{picture.width, picture.height}) continue;
      picture = core::rgb_image(
          core::resized(core::pixels_of(std::move(picture)), size.width, size.height, core::Filter::lanczos));
    }
    return std::move(decoded.images);
  }

  Latent encoded(const Image& picture) {
    Encoded encoded = target_engine_->encode(picture, options_.tiling, std::nullopt);
    add(encoded.timings, timings_);
    return std::move(encoded.latent);
  }

  Image shown(const Latent& latent) {
    Decoded decoded = target_engine_->decode(latent, options_.tiling);
    add(decoded.timings, timings_);
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
    if (latent_.values.empty()) {
      latent_ = std::move(latent);
      return;
    }
    latent_.shape[0] += latent.shape[0];
    latent_.values.insert(latent_.values.end(), latent.values.begin(), latent.values.end());
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

  const Model& own_;
  const Model& target_;
  const CrossingOptions& options_;
  const EngineOptions& place_;
  Engine* own_engine_ = nullptr;
  Engine* target_engine_ = nullptr;
  Latent latent_;
  std::vector<Image> after_;        ///< as the target's VAE shows what it encoded
  std::vector<Image> plain_after_;  ///< the same without compensation
  Timings timings_;
  double engine_seconds_ = 0;
};

/// A model folder read and checked, once a run, however often and by whatever path it is asked for.
const Model& sound_model(const std::filesystem::path& folder) {
  static std::map<std::filesystem::path, Model> models;
  std::error_code error;
  const std::filesystem::path place = std::filesystem::canonical(folder, error);
  if (const auto known = models.find(place); !error && known != models.end()) return known->second;
  Model model = io::read_model(folder);
  core::check_model(model);
  return models.emplace(place, std::move(model)).first->second;
}

}  // namespace

Model checked_model(const std::string& name) { return sound_model(find_model(name)); }

std::optional<Model> known_model(const std::function<bool(const Model&)>& fits) {
  for (const std::filesystem::path& folder : known_models()) {
    try {
      const Model& model = sound_model(folder);
      if (fits(model)) return model;
    } catch (const Error&) {
      continue;
    }
  }
  return std::nullopt;
}

std::optional<Model> own_model(const Passport& passport, const std::optional<std::string>& named) {
  if (named) return checked_model(*named);
  const std::string& digest = passport.vae_sha256;
  const auto decodes = [&](const Model& model) {
    return model.parts.contains("vae_decoder") && core::same_values(model.space, passport.space) &&
           (digest.empty() || io::vae_digest(model) == digest);
  };
  std::optional<Model> exact = known_model(
      [&](const Model& model) { return decodes(model) && core::same_numbers(model.space, passport.space); });
  return exact ? exact : known_model(decodes);
}

std::optional<Model> encoding_model(const Space& space) {
  const auto encodes = [](const Model& model) { return model.parts.contains("vae_encoder"); };
  std::optional<Model> exact =
      known_model([&](const Model& model) { return encodes(model) && core::same_numbers(model.space, space); });
  if (exact) return exact;
  return known_model([&](const Model& model) { return encodes(model) && core::same_values(model.space, space); });
}

core::Destination destination_of(const Model& model) {
  core::Destination destination;
  destination.name = model.name;
  destination.space = model.space;
  destination.vae_sha256 = io::vae_digest(model);
  destination.size_multiple = core::find_family(model.family)->size_multiple;
  destination.path = path_of(model.sampling.prediction);
  return destination;
}

Crossed cross(const io::LatentDocument& document, const Model& own, const Model& target, const CrossingOptions& options,
              const EngineOptions& place) {
  return Way(own, target, options, place).run(document);
}

Latent in_space(Latent latent, const Space& space) {
  core::rescale(latent.values, latent.shape, latent.space, space);
  latent.space = space;
  return latent;
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
    const PixelSize size{static_cast<int>(passport.shape[3]) * space.downscale,
                         static_cast<int>(passport.shape[2]) * space.downscale};
    passport.history.push_back({"rescale", core::space_name(from), core::space_name(space), size, std::nullopt});
  }
  return result;
}

std::string announcement(const std::string& file, const Crossing& crossing) {
  std::string text = file + ": " + crossing.from + " -> " + crossing.to + ", ";
  if (crossing.route == "rescale") return text + "the same VAE's values by other numbers";
  text += "decoded and encoded again at " + std::to_string(crossing.size.width) + " x " +
          std::to_string(crossing.size.height);
  return crossing.psnr ? text + ", PSNR " + psnr_text(*crossing.psnr) : text;
}

std::string announcement(const std::string& file, const Crossed& crossed) {
  const std::string text = announcement(file, crossed.document.passport.history.back());
  if (!crossed.plain_psnr) return text;
  if (crossed.compensated == 0) return text + ", shifted colours came no nearer";
  return text + ", colours compensated (" + psnr_text(*crossed.plain_psnr) + " without)";
}

}  // namespace lapis::cli
