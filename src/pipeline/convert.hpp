// A latent into another space, other units, another dtype or another tool's format.
#pragma once

#include <optional>
#include <string>

#include "core/latent/plan_route.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/report/check_report.hpp"
#include "io/report/report.hpp"
#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/named_latent.hpp"

namespace lapis::pipeline {

/// What is asked in words; empty ones say nothing.
struct ConvertWords {
  std::string latent;  ///< its path, "-" for standard input
  std::string to;
  std::string from;
  std::string output;
  std::string format;
  std::string units;
  std::string dtype;
  std::string size;
};

/// What is asked; what is not said stays as the latent has it.
struct ConvertAsked {
  NamedLatent latent;
  std::string path;  ///< of the latent, as a line to type has it
  std::string to;    ///< a model's name or folder, or a space; empty: the latent's own space
  std::string from;  ///< the model whose VAE it comes from; empty: the known one
  io::LatentFormat format = io::LatentFormat::lapis;
  std::optional<Units> units;
  std::optional<LatentDtype> dtype;
  std::optional<PixelSize> size;  ///< of the picture in between
  bool may_convert = true;        ///< false: what would take a decode and an encode is refused
  bool compensate = true;
  std::string tiling = "auto";
};

/// What the words mean, but for the latent, which is not read. Throws Error{usage} for words that mean nothing, and
/// where nothing says what the latent becomes.
ConvertAsked convert_asked(const ConvertWords& words);

/// What will be done, decided from the passport alone. Models are the catalog's, which must live as long.
struct ConvertPlan {
  NamedLatent latent;
  io::LatentFormat format = io::LatentFormat::lapis;
  std::optional<LatentDtype> dtype;
  core::RouteTarget to;
  core::Route route;
  const Model* own = nullptr;     ///< whose VAE decodes, where that is known
  const Model* target = nullptr;  ///< whose VAE encodes
  std::string tiling;
  double seconds = 0;  ///< that planning took, for reports

  bool transcodes() const { return core::verdict(route) == core::Verdict::re_encode; }

  /// The planned route, for a report.
  io::Checked checked() const;
};

/// Plans it. Throws Error{usage} for units that the format cannot hold, Error{incompatible} for what cannot be done,
/// and as finding models does.
ConvertPlan plan_convert(ConvertAsked asked, ModelCatalog& catalog);

/// Compares the files of the VAEs that it calls with their recorded digests. Errors as of `io::verify_parts`.
void verify(ConvertPlan& plan);

/// What came out.
struct Converted {
  io::LatentDocument document;
  io::RunTimings timings;  ///< without writing
  core::Measured measured;
};

/// Does it, once it was verified. `door` is opened only where VAEs are called. Errors as of `Engine::decode` and
/// `Engine::encode`.
Converted convert(const ConvertPlan& plan, EngineDoor& door, const Events& events);

}  // namespace lapis::pipeline
