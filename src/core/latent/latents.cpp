#include "core/latent/latents.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

void append_values(std::vector<float>& to, const std::vector<float>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// The values of one picture of a batch of `count`.
std::vector<float> part(const std::vector<float>& values, std::int64_t count, int index) {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / count;
  return {values.begin() + index * size, values.begin() + (index + 1) * size};
}

}  // namespace

void append(Latent& batch, Latent more) {
  if (batch.values.empty()) {
    batch = std::move(more);
    return;
  }
  const bool alike = batch.space == more.space && batch.sigma == more.sigma && batch.step == more.step &&
                     batch.memory.size() == more.memory.size() &&
                     std::equal(batch.shape.begin() + 1, batch.shape.end(), more.shape.begin() + 1);
  if (!alike) throw Error(ErrorKind::internal, "latents of one batch are of different sizes, spaces or steps");
  batch.shape[0] += more.shape[0];
  append_values(batch.values, more.values);
  for (std::size_t i = 0; i < batch.memory.size(); ++i) append_values(batch.memory[i], more.memory[i]);
}

Latent picture_of(const Latent& batch, int index) {
  const std::int64_t count = batch.shape[0];
  if (index < 0 || index >= count) throw Error(ErrorKind::internal, "a batch has no picture of that number");
  Latent latent{batch.space, batch.shape, part(batch.values, count, index), batch.sigma, batch.path, batch.step,
                batch.draws, {}};
  latent.shape[0] = 1;
  for (const std::vector<float>& values : batch.memory) latent.memory.push_back(part(values, count, index));
  return latent;
}

PixelSize picture_size(const Passport& passport) {
  const auto side = [&](std::int64_t cells) { return static_cast<int>(cells * passport.space.downscale); };
  return {side(passport.shape[3]), side(passport.shape[2])};
}

std::string size_text(PixelSize size) { return sentence("{} x {}", size.width, size.height); }

}  // namespace lapis::core
