// The files of a job: its pictures, its latents, or both.
#pragma once

#include <optional>
#include <vector>

#include "io/latent/latent_formats.hpp"
#include "lapis/job.hpp"
#include "pipeline/outputs.hpp"
#include "pipeline/render.hpp"

namespace lapis::pipeline {

/// Where the pictures of a job go that names no output.
inline constexpr const char* default_pictures = "lapis-{seed}.png";

/// Whether a job asks for pictures, and not for latents alone.
bool wants_pictures(const Job& job);

/// What a job writes, and what of it is there already.
struct RenderOutputs {
  std::vector<Output> pictures;                       ///< all of the batch; none where latents are all that is wanted
  std::optional<Output> latent;                       ///< of all pictures
  io::LatentFormat format = io::LatentFormat::lapis;  ///< of the latents

  /// Pictures first.
  std::vector<Output> all() const;

  bool writes_latent() const { return latent && !latent->stays; }
};

/// Names them as `job` does, which `resolved` came of. Throws Error{usage} for names that make no sense.
RenderOutputs name_render_outputs(const Job& job, const ResolvedJob& resolved);

/// Decides which stay, and leaves out of the plan what nobody is going to keep; one of which nothing is kept is not for
/// `render`. Throws as `plan_outputs`.
void plan_render_outputs(RenderOutputs& outputs, RenderPlan& plan, const OutputPolicy& policy,
                         const ModelCatalog& models);

/// Writes a picture, unless it stays.
std::optional<Written> save(const DrawnPicture& picture, const RenderOutputs& outputs, const Outlet& outlet);

/// Writes the latents, where they are wanted.
std::optional<Written> save(const RenderResult& result, const RenderOutputs& outputs, const Outlet& outlet);

}  // namespace lapis::pipeline
