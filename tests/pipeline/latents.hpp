// Latents for the tests of what takes one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "lapis/model.hpp"
#include "pipeline/named_latent.hpp"

namespace lapis::test {

/// A finished latent of one value that `model` could have made, of 64 x 64 pixels a picture, without a digest.
inline pipeline::NamedLatent latent_of(const Model& model, std::int64_t pictures = 1, float value = 100) {
  pipeline::NamedLatent named;
  named.name = "a.safetensors";
  Passport& passport = named.latent.document.passport;
  passport.space = model.space;
  const std::int64_t side = 64 / model.space.downscale;
  passport.shape = {pictures, model.space.channels, side, side};
  named.latent.document.values.assign(static_cast<std::size_t>(pictures * model.space.channels * side * side), value);
  return named;
}

}  // namespace lapis::test
