// What is said of a latent in words, as options and jobs say it.
#pragma once

#include <string>
#include <string_view>

#include "io/latent/latent_formats.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// "512x768": both sides from 1 to 16384. Throws Error{usage}; `key` is the field that says it.
PixelSize parse_size(const std::string& text, std::string_view key);

/// The row of this name in `core::units_rows`. Throws Error{usage} with the names there are.
Units parse_units(const std::string& text, std::string_view key);

/// The row of this name in `core::latent_dtypes`. Throws Error{usage} with the names there are.
LatentDtype parse_latent_dtype(const std::string& text, std::string_view key);

/// What a file does not say of itself; empty where nothing is said.
struct HintWords {
  std::string space;
  std::string units;
  std::string format;
  std::string size;
};

/// What the words mean, under the `keys` of their fields. Throws Error{usage} for words that mean nothing.
io::LatentHints latent_hints(const HintWords& words, ModelCatalog& catalog, io::HintKeys keys);

/// Throws Error{usage} where the words say anything, though no latent was found; `found` is what there is instead
/// ("tiny-sd15 names a model").
void refuse_hints(const HintWords& words, const io::HintKeys& keys, const std::string& found);

/// What a job says of the latent that it starts from.
io::LatentHints latent_hints(const Job& job, ModelCatalog& catalog);

}  // namespace lapis::pipeline
