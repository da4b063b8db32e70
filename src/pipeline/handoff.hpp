// A latent handed to a model that goes on denoising it, through its picture where the model lives in another space.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/latent/verdict.hpp"
#include "io/latent/latent_file.hpp"
#include "io/report/check_report.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/transcode.hpp"

namespace lapis::pipeline {

/// What a user allows and asks of it.
struct HandoffOptions {
  bool may_convert = true;
  bool measure = false;     ///< decode what was encoded, and compare
  bool compensate = false;  ///< as of `CrossingOptions`
};

/// Planned by the constructor, from the passport alone; done by one of `carry`.
class Handoff {
 public:
  /// `file` is the latent, as messages call it; `own` the model that made it, or null where `catalog` has to find it;
  /// `size` that of the picture `target` is to draw. Both models must live as long. Throws Error{incompatible} for a
  /// latent that `target` cannot go on with.
  Handoff(std::string file, const Passport& passport, core::Layout layout, const Model* own, const Model& target,
          std::optional<PixelSize> size, const HandoffOptions& options, ModelCatalog& catalog);

  /// Whether pictures are decoded and encoded again.
  bool crosses() const { return ruling_.verdict == core::Verdict::re_encode; }

  /// What the latent is when it arrives, but for what is measured on the way.
  const Passport& arriving() const { return arriving_; }

  /// What is ruled, what for, and how it is done: for people.
  const std::string& file() const { return file_; }
  const core::Ruling& ruling() const { return ruling_; }
  CrossingOptions crossing(const std::string& tiling) const;
  bool is_batch() const { return departing_.shape[0] > 1; }

  /// For a report. Calls of VAEs that measure are counted.
  io::Checked route() const;

  /// The files it needs, but for those of the target itself. Errors as of `io::verify_parts`.
  void verify() const;

  /// The latent in the target's space; a note says where it changed. `engine` is left with any model in use.
  io::LatentDocument carry(const io::LatentDocument& document, const std::string& tiling, Engine& engine,
                           const Events& events);

  /// Carries a latent whose pictures its own VAE has decoded already; only where it crosses.
  io::LatentDocument carry(std::vector<Image> pictures, const Passport& passport, const std::string& tiling,
                           Engine& engine, const Events& events);

  /// Seconds in the VAEs so far.
  const Timings& timings() const { return timings_; }

 private:
  io::LatentDocument arrived(Crossed crossed, const Events& events);

  std::string file_;
  const Model& target_;
  const Model* own_;
  std::optional<PixelSize> size_;
  HandoffOptions options_;
  core::Ruling ruling_;
  Passport departing_;
  Passport arriving_;
  Timings timings_;
};

}  // namespace lapis::pipeline
