// Runs a latent along a planned route: the one place where a latent is rescaled, decoded, resized, encoded and measured
// on its way into another space.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/latent/route.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// The models whose VAEs a route is run with; null where no step of it needs one. Their files must have been verified.
struct RouteModels {
  const Model* own = nullptr;     ///< decodes the latent
  const Model* target = nullptr;  ///< encodes its pictures, and shows what came of them
};

/// What a route is run with.
struct RouteTools {
  RouteModels models;
  std::string tiling = "auto";                               ///< of both VAEs: "auto", "on" or "off"
  std::function<Engine&()> engine = {};                      ///< asked where a step calls a VAE, and never before
  std::function<void(const core::RouteStep&)> on_step = {};  ///< before each step; empty: nobody listens
};

/// What came out of a route.
struct Transcoded {
  io::LatentDocument document;   ///< as the route's target wants it; with `added` in its history
  std::vector<Image> pictures;   ///< that were encoded; empty where none were
  std::vector<Image> shown;      ///< the result as the target's VAE shows it; empty unless measured
  std::vector<Transcode> added;  ///< to the history
  core::Measured measured;
  Timings timings;
};

/// Runs every step, in order. The latent lies as [B, C, h, w] in memory, whatever its layout in files. Errors as of
/// `Engine::decode` and `Engine::encode`.
Transcoded run_route(const core::Route& route, const io::LatentDocument& document, const RouteTools& tools);

/// Runs a route through pictures from behind its decode on: `pictures` are those of a latent with this passport, as its
/// own VAE decoded them.
Transcoded run_route(const core::Route& route, const Passport& passport, std::vector<Image> pictures,
                     const RouteTools& tools);

/// One line of what a route did to a latent's space: "a.safetensors: sd15:tiny-sd15 -> sdxl:tiny-sdxl, decoded and
/// encoded again at 128 x 128, PSNR 31.2 dB". Empty where it stayed in its space.
std::string announcement(const std::string& file, const Transcoded& transcoded);

/// One line of an entry of a latent's history.
std::string announcement(const std::string& file, const Transcode& entry);

}  // namespace lapis::pipeline
