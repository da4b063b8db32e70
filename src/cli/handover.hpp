// A latent handed to a model that goes on denoising it, through its picture where the model lives in another space.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/crossing.hpp"
#include "cli/latent_options.hpp"
#include "core/latent/verdict.hpp"
#include "io/report/check_report.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"

namespace lapis::cli {

/// What a user allows and asks of it.
struct HandoverOptions {
  bool may_convert = true;
  bool measure = false;     ///< decode what was encoded, and compare
  bool compensate = false;  ///< as of `CrossingOptions`
};

/// Throws Error{usage} for options of a latent on its way into the model's space: called where there is none.
/// `is_refined` where no option could name one.
void refuse_crossing_options(const HandoverOptions& options, const HintOptions& hints, bool is_refined);

/// Planned by the constructor, from the passport alone; done by one of `carry`.
class Handover {
 public:
  /// `file` is the latent, as messages call it; `own` the model that made it, where that is at hand; `size` that of the
  /// picture `target` is to draw. Throws Error{incompatible} for a latent that `target` cannot go on with.
  Handover(std::string file, const Passport& passport, core::Layout layout, const std::optional<Model>& own,
           const Model& target, std::optional<PixelSize> size, const HandoverOptions& options);

  /// Whether pictures are decoded and encoded again.
  bool crosses() const { return ruling_.verdict == core::Verdict::re_encode; }

  /// What the latent is when it arrives, but for what is measured on the way.
  const Passport& arriving() const { return arriving_; }

  /// For a dry run: to print for people, and for a report. Calls of VAEs that measure are counted.
  void print() const;
  io::Checked route() const;

  /// The files it needs, but for those of the target itself. Errors as of `io::verify_parts`.
  void verify() const;

  /// The latent in the target's space, announced on stderr where it changed. `engine` is left with any model in use.
  io::LatentDocument carry(const io::LatentDocument& document, const std::string& tiling, Engine& engine);

  /// Carries a latent whose pictures its own VAE has decoded already; only where it crosses.
  io::LatentDocument carry(std::vector<Image> pictures, const Passport& passport, const std::string& tiling,
                           Engine& engine);

  /// Seconds in the VAEs so far.
  const Timings& timings() const { return timings_; }

 private:
  CrossingOptions crossing(const std::string& tiling) const;
  io::LatentDocument arrived(Crossed crossed);

  std::string file_;
  const Model& target_;
  std::optional<Model> own_;
  std::optional<PixelSize> size_;
  HandoverOptions options_;
  core::Ruling ruling_;
  Passport departing_;
  Passport arriving_;
  Timings timings_;
};

}  // namespace lapis::cli
