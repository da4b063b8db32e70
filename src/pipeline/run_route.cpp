#include "pipeline/run_route.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "core/latent/latents.hpp"
#include "core/latent/units.hpp"
#include "core/picture/colour_drift.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "core/picture/similarity.hpp"
#include "core/text/sentence.hpp"
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

Image at_size(Image picture, PixelSize size) {
  return core::rgb_image(
      core::resized(core::pixels_of(std::move(picture)), size.width, size.height, core::Filter::lanczos));
}

/// A latent under way: what the steps before have made of it, and what they found out.
class Run {
 public:
  Run(const core::Route& route, const RouteTools& tools, io::LatentDocument document, std::vector<Image> pictures)
      : route_(route), tools_(tools) {
    result_.document = std::move(document);
    result_.pictures = std::move(pictures);
  }

  Transcoded from(std::span<const core::RouteStep> steps) {
    for (const core::RouteStep& step : steps) {
      if (tools_.on_step) tools_.on_step(step);
      take(step);
    }
    result_.document.passport.space = route_.space;
    result_.added = core::history(route_, result_.measured);
    std::vector<Transcode>& history = result_.document.passport.history;
    history.insert(history.end(), result_.added.begin(), result_.added.end());
    return std::move(result_);
  }

 private:
  void take(const core::RouteStep& step) {
    switch (step.kind) {
      case core::StepKind::unpack: break;  // the file's reader did it
      case core::StepKind::pack: break;    // the file's writer does it
      case core::StepKind::to_vae: core::to_vae_units(values(), shape(), step.from); return arrive(step, Units::vae);
      case core::StepKind::relabel: return arrive(step, Units::vae);
      case core::StepKind::to_model:
        core::to_model_units(values(), shape(), step.to);
        return arrive(step, Units::model);
      case core::StepKind::decode: return decode(step);
      case core::StepKind::resize: return resize(step);
      case core::StepKind::encode: return encode();
      case core::StepKind::measure: return measure();
      case core::StepKind::compensate: return compensate();
    }
  }

  std::vector<float>& values() { return result_.document.values; }
  const std::array<std::int64_t, 4>& shape() const { return result_.document.passport.shape; }

  void arrive(const core::RouteStep& step, Units units) {
    result_.document.passport.space = step.to;
    result_.document.passport.units = units;
  }

  void decode(const core::RouteStep& step) {
    Latent latent = io::to_latent(result_.document);
    core::rescale(latent.values, latent.shape, step.from, step.to);
    latent.space = step.to;
    result_.pictures = decoded(*tools_.models.own, latent);
  }

  void resize(const core::RouteStep& step) {
    for (Image& picture : result_.pictures) picture = at_size(std::move(picture), step.size);
  }

  void encode() {
    Latent latent;
    for (const Image& picture : result_.pictures) core::append(latent, encoded(picture));
    io::LatentDocument& document = result_.document;
    Passport passport = std::move(document.passport);
    passport.units = Units::model;
    passport.dtype = LatentDtype::f32;
    passport.vae_sha256 = io::vae_digest(target());
    std::map<std::string, std::string> extra = std::move(document.extra);
    document = io::to_document(latent, std::move(passport));
    document.extra = std::move(extra);
  }

  void measure() {
    const Latent latent = io::to_latent(result_.document);
    for (int i = 0; i < count(); ++i) result_.shown.push_back(decoded(target(), core::picture_of(latent, i)).front());
    result_.measured.psnr = psnr_of(result_.pictures, result_.shown);
  }

  void compensate() {
    result_.measured.plain_psnr = result_.measured.psnr;
    for (int i = 0; i < count(); ++i) {
      if (comes_nearer(static_cast<std::size_t>(i))) ++result_.measured.compensated;
    }
    result_.measured.psnr = psnr_of(result_.pictures, result_.shown);
  }

  /// Encodes a picture once more with its colours shifted; keeps that if it comes back nearer.
  bool comes_nearer(std::size_t index) {
    const Image& picture = result_.pictures[index];
    Image& shown = result_.shown[index];
    const Latent other = encoded(core::compensated(picture, core::colour_drift(picture, shown)));
    Image other_shown = decoded(target(), other).front();
    if (core::psnr(picture, other_shown) <= core::psnr(picture, shown)) return false;
    std::ranges::copy(other.values, values().begin() + std::ssize(other.values) * static_cast<std::ptrdiff_t>(index));
    shown = std::move(other_shown);
    return true;
  }

  const Model& target() const { return *tools_.models.target; }
  int count() const { return static_cast<int>(result_.pictures.size()); }

  std::vector<Image> decoded(const Model& model, const Latent& latent) {
    Decoded decoded = tools_.engine().decode(model, latent, tools_.tiling);
    result_.timings += decoded.timings;
    return std::move(decoded.images);
  }

  Latent encoded(const Image& picture) {
    Encoded encoded = tools_.engine().encode(target(), picture, tools_.tiling, std::nullopt);
    result_.timings += encoded.timings;
    return std::move(encoded.latent);
  }

  const core::Route& route_;
  const RouteTools& tools_;
  Transcoded result_;
};

}  // namespace

Transcoded run_route(const core::Route& route, const io::LatentDocument& document, const RouteTools& tools) {
  return Run(route, tools, document, {}).from(route.steps);
}

Transcoded run_route(const core::Route& route, const Passport& passport, std::vector<Image> pictures,
                     const RouteTools& tools) {
  const auto decode = std::ranges::find(route.steps, core::StepKind::decode, &core::RouteStep::kind);
  if (decode == route.steps.end()) throw Error(ErrorKind::internal, "a route without pictures was given some");
  return Run(route, tools, {passport, {}, {}, {}}, std::move(pictures)).from({decode + 1, route.steps.end()});
}

std::string announcement(const std::string& file, const Transcode& entry) {
  const std::string way = core::sentence("{}: {} -> {}", file, entry.from, entry.to);
  if (entry.route == "rescale") return core::sentence("{}, the same VAE's values by other numbers", way);
  const std::string text = core::sentence("{}, decoded and encoded again at {}", way, core::size_text(entry.size));
  return entry.psnr ? core::sentence("{}, PSNR {}", text, core::psnr_text(*entry.psnr)) : text;
}

std::string announcement(const std::string& file, const Transcoded& transcoded) {
  if (transcoded.added.empty()) return "";
  const std::string text = announcement(file, transcoded.added.front());
  const core::Measured& measured = transcoded.measured;
  if (!measured.plain_psnr) return text;
  if (measured.compensated == 0) return core::sentence("{}, shifted colours came no nearer", text);
  return core::sentence("{}, colours compensated ({} without)", text, core::psnr_text(*measured.plain_psnr));
}

}  // namespace lapis::pipeline
