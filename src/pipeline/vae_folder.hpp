// A VAE that the user names, and what its own config says of it.
#pragma once

#include <optional>
#include <string>

#include "core/latent/plan_route.hpp"
#include "io/report/check_report.hpp"
#include "lapis/model.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// A decoder as a latent's target: it takes any count of cells.
struct VaeFolder {
  core::RouteTarget target;
  std::optional<io::Checked> finding;  ///< what its config says: which space it is, or what it contradicts
};

/// The VAE of a model (name or folder), or a folder in diffusers' form. The lineage of the latter is known only where
/// its weights are those of a known model: else it is empty. Throws as `find_model` and `io::read_vae_config`.
VaeFolder read_vae_folder(const std::string& name, ModelCatalog& catalog);

/// What the config beside a model's VAE says against its model.json; none where they agree or no config is there.
std::optional<io::Checked> contradiction(const Model& model);

}  // namespace lapis::pipeline
