// A latent's pictures by the colours of its channels, without any VAE.
#pragma once

#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/latent.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/events.hpp"
#include "pipeline/named_latent.hpp"

namespace lapis::pipeline {

/// The lineage whose colours show values of `space`. Throws Error{incompatible} where none are known; `file` is the
/// latent that is to be shown.
const core::LineageRow& preview_colours(const std::string& file, const Space& space);

/// The latent of `document` in the units that these colours are for (`core::preview`).
Latent preview_latent(const io::LatentDocument& document, const core::LineageRow& colours);

/// What is shown of a latent.
struct PreviewPlan {
  NamedLatent latent;
  const core::LineageRow* colours = nullptr;
  std::vector<std::string> notes;
  std::vector<int> wanted;  ///< as of `DecodePlan`

  int batch() const { return static_cast<int>(latent.passport().shape[0]); }
};

/// Throws Error{incompatible} where no colours of the latent's space are known.
PreviewPlan plan_preview(NamedLatent latent);

/// Each picture at the size that its VAE would give it.
void preview(const PreviewPlan& plan, const Events& events, const DecodedCallback& on_picture);

}  // namespace lapis::pipeline
