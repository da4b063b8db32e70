// What `matrix` starts from: latents as they are, or rendered by models, each with the model whose VAE it belongs to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/latent/plan_route.hpp"
#include "core/picture/matrix.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/engine.hpp"
#include "lapis/model.hpp"
#include "pipeline/asked.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// What models render where nothing else is asked.
inline constexpr const char* matrix_prompt = "a red house on the left, snow field at night";
inline constexpr std::uint64_t matrix_seed = 7;

/// What the models are to render, and where.
struct MatrixPrompt {
  std::optional<std::string> text;
  std::string seed;  ///< as `core::parse_seed` reads it; empty: nothing is asked
  ComputeOptions compute;
};

/// One latent: a row of the matrix, whose decoder is a column of it.
struct MatrixRow {
  std::string name;                ///< of its file, or of the model that renders it
  Model model;                     ///< whose VAE it belongs to
  std::optional<ResolvedJob> job;  ///< where the model renders it
  Passport passport;               ///< what the latent says of itself, or what one that the model renders will
  Latent latent;                   ///< one picture, in the model's space; without values until it is rendered
  core::Layout layout = core::Layout::plain;
};

/// The rows of the latents and models that `words` name; of a known model of each family where it names none.
/// Models get jobs of one seed, and a latent of several pictures becomes that of its first, which is a note.
/// Throws Error{usage} for fewer than 2 or more than 6, for two of one space, and for a prompt or a seed without a
/// model that renders, Error{incompatible} for a latent that is partially denoised, whose VAE is not known, or that
/// cannot go into another's space, Error{model} for a model without a VAE's both halves, and as reading a latent or a
/// model does. No tensor exists yet.
std::vector<MatrixRow> read_matrix_rows(const std::vector<std::string>& words, const MatrixPrompt& prompt,
                                        ModelCatalog& catalog, const Events& events);

/// Renders the latents of rows that have a job, then sends every latent through every decoder: as it is, and after it
/// was carried across. Errors as of `io::verify_files`, `Engine::render`, `Engine::decode` and `Engine::encode`.
core::Matrix fill_matrix(std::vector<MatrixRow>& rows, const std::string& tiling, EngineDoor& door,
                         const Events& events);

}  // namespace lapis::pipeline
