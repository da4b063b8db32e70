// A latent handed to a model that goes on denoising it, through its picture where the model lives in another space.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/latent/plan_route.hpp"
#include "io/latent/latent_file.hpp"
#include "io/report/check_report.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/run_route.hpp"

namespace lapis::pipeline {

/// How a latent gets there, decided from its passport alone. The models must live as long.
struct HandoffPlan {
  core::RouteSource latent;
  Passport arriving;           ///< of the latent when it is there, but for what is measured on the way
  const Model* own = nullptr;  ///< whose VAE decodes it; null where none has to
  const Model* target = nullptr;
  core::Route route;

  /// Whether pictures are decoded and encoded again.
  bool transcodes() const { return core::verdict(route) == core::Verdict::re_encode; }

  /// The route, for a report.
  io::Checked checked() const;
};

/// Plans it. `own` is the model that made the latent, or null where `catalog` has to find it; `size` that of the
/// picture which `target` is to draw. Throws Error{incompatible} for a latent that `target` cannot go on with.
HandoffPlan plan_handoff(core::RouteSource latent, const Model* own, const Model& target, std::optional<PixelSize> size,
                         const core::RouteOptions& options, ModelCatalog& catalog);

/// Compares the files that are needed, but for those of the target itself, with their recorded digests. Errors as of
/// `io::verify_parts`.
void verify(const HandoffPlan& plan);

/// Takes the latent into the target's space; a note says where it changed. Errors as of `run_route`.
Transcoded carry(const HandoffPlan& plan, const io::LatentDocument& document, const std::string& tiling, Engine& engine,
                 const Events& events);

/// Takes a latent with this passport there, whose pictures its own VAE has decoded already; only where it transcodes.
Transcoded carry(const HandoffPlan& plan, std::vector<Image> pictures, const Passport& passport,
                 const std::string& tiling, Engine& engine, const Events& events);

}  // namespace lapis::pipeline
