// A latent's pictures, by its VAE.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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
};

/// What will be done, decided from the passport alone. The model is the catalog's, which must live as long.
struct DecodePlan {
  core::Route route;  ///< from the latent to the VAE; refused where it is forced
  NamedLatent latent;
  const Model* model = nullptr;  ///< whose VAE decodes
  bool forced = false;           ///< though it is that of another space
  std::string tiling;
  std::vector<std::string> notes;
  std::vector<int> wanted;  ///< pictures of the latent, counted from 0, rising; empty: all

  /// Pictures of the latent.
  int batch() const { return static_cast<int>(latent.passport().shape[0]); }
};

/// Plans it. Throws Error{incompatible} for a latent that the VAE cannot decode, Error{model} for a model without a
/// decoder, and as finding models does.
DecodePlan plan_decode(DecodeAsked asked, ModelCatalog& catalog);

/// One picture of a latent.
struct DecodedPicture {
  Image image;
  io::Decoding decoding;
  Timings timings;
};

using DecodedCallback = std::function<void(const DecodedPicture&)>;

/// Decodes what is wanted picture by picture. Errors as of `io::verify_parts` and `Engine::decode`.
void decode(const DecodePlan& plan, EngineDoor& door, const Events& events, const DecodedCallback& on_picture);

/// Whether picture `index` is among those that are `wanted`: all, where none is named.
bool is_wanted(const std::vector<int>& wanted, int index);

/// With what tiling a latent's picture was decoded when it was made, where `asked` is "auto"; else `asked`.
std::string tiling_of(const Passport& passport, const std::string& asked);

}  // namespace lapis::pipeline
