#include "io/latent/untagged_latent.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "core/checkpoint/lora_shapes.hpp"
#include "core/family/spaces.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_container.hpp"
#include "io/latent/latent_numbers.hpp"
#include "io/latent/latent_statistics.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

bool is_array(LatentFormat format) { return format == LatentFormat::npy || format == LatentFormat::diffusers_npy; }

/// How a tensor can be read as a latent of a space.
enum class Reading { none, plain, packed };

Reading reading_of(const std::vector<std::int64_t>& shape, const core::SpaceRow& row) {
  const std::int64_t channels = row.space.channels;
  if (shape.size() == 4) return shape[1] == channels ? Reading::plain : Reading::none;
  if (shape.size() != 3) return Reading::none;
  const std::int64_t width = channels * row.packing * row.packing;
  if (row.packing > 1 && shape[2] == width) return Reading::packed;
  return shape[0] == channels ? Reading::plain : Reading::none;
}

/// The hints that it takes to read a tensor as a latent of that space. Tokens without a size become a picture one token
/// high.
LatentHints guess_of(const LatentContainer& container, const core::SpaceRow& row, Reading reading, LatentHints hints) {
  hints.space = row.space;
  if (reading == Reading::packed) {
    const int side = row.space.downscale * row.packing;
    if (!hints.format && is_array(container.format)) hints.format = LatentFormat::diffusers_npy;
    if (!hints.size) hints.size = PixelSize{static_cast<int>(container.tensor.shape[1]) * side, side};
  }
  const bool has_units = latent_format_row(hints.format.value_or(container.format)).units.has_value();
  if (!has_units && !hints.units) hints.units = Units::model;
  return hints;
}

}  // namespace

bool has_space(std::span<const std::byte> file, const std::string& name, const LatentHints& hints) {
  return hints.space.has_value() || latent_format_row(open_latent_container(file, name).format).has_space;
}

UntaggedLatent read_untagged(std::span<const std::byte> file, const std::string& name, const LatentHints& hints,
                             std::int64_t most) {
  const LatentContainer container = open_latent_container(file, name);
  const std::vector<std::int64_t>& shape = container.tensor.shape;
  std::optional<Error> problem;
  for (const core::SpaceRow& row : core::spaces()) {
    const Reading reading = reading_of(shape, row);
    if (reading == Reading::none) continue;
    try {
      UntaggedLatent untagged;
      const LatentHints guess = guess_of(container, row, reading, hints);
      untagged.latent = read_passport(file, name, guess);
      untagged.statistics = read_statistics(file, name, untagged.latent, most);
      const std::optional<Units> own = latent_format_row(untagged.latent.format).units;
      untagged.fits =
          core::fitting_spaces(untagged.statistics.channels, {own ? own : hints.units, reading == Reading::packed});
      untagged.has_size = reading == Reading::plain || hints.size.has_value();
      return untagged;
    } catch (const Error& error) {
      if (!problem) problem = error;
    }
  }
  if (problem) throw Error(*problem);
  throw Error(ErrorKind::input,
              core::sentence("{} has a tensor {}, and no space that lapis knows has latents of that shape.", name,
                             core::shape_text(shape)),
              core::marked("Latents are [batch, channels, height, width]; {lapis list} spaces shows the channels"));
}

}  // namespace lapis::io
