// A latent's pictures, by its VAE or by the colours of its channels.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/route.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/named_latent.hpp"

namespace lapis::pipeline {

/// What is asked.
struct DecodeAsked {
  NamedLatent latent;
  std::string path;    ///< of the latent, as a line to type has it
  std::string model;   ///< whose VAE decodes; empty: the known one that the latent comes from
  bool force = false;  ///< decodes by the VAE of another space too
  std::string tiling = "auto";
  bool preview = false;  ///< by the colours of its channels, without any VAE
};

/// What will be done, decided from the passport alone. The model is the catalog's, which must live as long.
struct DecodePlan {
  core::Route route;  ///< from the latent to the VAE; refused where it is forced
  NamedLatent latent;
  const Model* model = nullptr;               ///< whose VAE decodes; null for a preview
  const core::LineageRow* colours = nullptr;  ///< of a preview
  bool forced = false;                        ///< though the VAE is that of another space
  std::string tiling;
  std::vector<std::string> notes;
  std::vector<int> wanted;  ///< pictures of the latent, counted from 0, rising; empty: all
  double seconds = 0;       ///< that planning took, for reports

  /// Pictures of the latent.
  int batch() const { return static_cast<int>(latent.passport().shape[0]); }
};

/// Plans it. Throws Error{incompatible} for a latent that the VAE cannot decode or whose colours nobody knows,
/// Error{model} for a model without a decoder, and as finding models does.
DecodePlan plan_decode(DecodeAsked asked, ModelCatalog& catalog);

/// One picture of a latent.
struct DecodedPicture {
  Image image;
  io::Decoding decoding;
  io::RunTimings timings;  ///< without writing
};

using DecodedCallback = std::function<void(const DecodedPicture&)>;

/// Decodes what is wanted picture by picture; a preview leaves the door closed. Errors as of `io::verify_parts` and
/// `Engine::decode`.
void decode(const DecodePlan& plan, EngineDoor& door, const Events& events, const DecodedCallback& on_picture);

/// With what tiling a latent's picture was decoded when it was made, where `asked` is "auto"; else `asked`.
std::string tiling_of(const Passport& passport, const std::string& asked);

}  // namespace lapis::pipeline
