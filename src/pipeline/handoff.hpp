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

/// Planned by the constructor, from the passport alone; done by one of `carry`.
class Handoff {
 public:
  /// `file` is the latent, as messages call it; `own` the model that made it, or null where `catalog` has to find it;
  /// `size` that of the picture `target` is to draw. Both models must live as long. Throws Error{incompatible} for a
  /// latent that `target` cannot go on with.
  Handoff(std::string file, const Passport& passport, core::Layout layout, const Model* own, const Model& target,
          std::optional<PixelSize> size, const core::RouteOptions& options, ModelCatalog& catalog);

  /// Whether pictures are decoded and encoded again.
  bool transcodes() const { return core::verdict(route_) == core::Verdict::re_encode; }

  /// What the latent is when it arrives, but for what is measured on the way.
  const Passport& arriving() const { return arriving_; }

  /// The latent, as messages call it, and its planned route: for people.
  const std::string& file() const { return file_; }
  const core::Route& route() const { return route_; }
  bool is_batch() const { return departing_.shape[0] > 1; }

  /// The planned route, for a report.
  io::Checked checked() const;

  /// The files it needs, but for those of the target itself. Errors as of `io::verify_parts`.
  void verify() const;

  /// The latent in the target's space; a note says where it changed.
  io::LatentDocument carry(const io::LatentDocument& document, const std::string& tiling, Engine& engine,
                           const Events& events);

  /// Carries a latent whose pictures its own VAE has decoded already; only where it transcodes.
  io::LatentDocument carry(std::vector<Image> pictures, const Passport& passport, const std::string& tiling,
                           Engine& engine, const Events& events);

  /// Seconds in the VAEs so far.
  const Timings& timings() const { return timings_; }

 private:
  RouteTools tools(const std::string& tiling, Engine& engine) const;
  io::LatentDocument arrived(Transcoded transcoded, const Events& events);

  std::string file_;
  const Model& target_;
  const Model* own_;
  core::Route route_;
  Passport departing_;
  Passport arriving_;
  Timings timings_;
};

}  // namespace lapis::pipeline
