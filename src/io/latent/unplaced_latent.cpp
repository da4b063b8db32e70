#include "io/latent/unplaced_latent.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "core/family/spaces.hpp"
#include "io/latent/latent_container.hpp"
#include "io/latent/latent_numbers.hpp"
#include "io/latent/latent_statistics.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

bool is_array(LatentForm form) { return form == LatentForm::npy || form == LatentForm::diffusers_npy; }

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

/// What has to be told to read a tensor as a latent of that space. Tokens without a size become a picture one token
/// high.
ToldFacts guess_of(const LatentContainer& container, const core::SpaceRow& row, Reading reading, ToldFacts told) {
  told.space = row.space;
  if (reading == Reading::packed) {
    const int side = row.space.downscale * row.packing;
    if (!told.form && is_array(container.form)) told.form = LatentForm::diffusers_npy;
    if (!told.size) told.size = PixelSize{static_cast<int>(container.tensor.shape[1]) * side, side};
  }
  const bool says_units = latent_form_row(told.form.value_or(container.form)).units.has_value();
  if (!says_units && !told.units) told.units = Units::model;
  return told;
}

}  // namespace

bool says_space(std::span<const std::byte> file, const std::string& name, const ToldFacts& told) {
  return told.space.has_value() || latent_form_row(open_latent_container(file, name).form).says_space;
}

UnplacedLatent read_unplaced(std::span<const std::byte> file, const std::string& name, const ToldFacts& told,
                             std::int64_t most) {
  const LatentContainer container = open_latent_container(file, name);
  const std::vector<std::int64_t>& shape = container.tensor.shape;
  std::optional<Error> problem;
  for (const core::SpaceRow& row : core::spaces()) {
    const Reading reading = reading_of(shape, row);
    if (reading == Reading::none) continue;
    try {
      UnplacedLatent unplaced;
      const ToldFacts guess = guess_of(container, row, reading, told);
      unplaced.latent = read_passport(file, name, guess);
      unplaced.statistics = read_statistics(file, name, unplaced.latent, most);
      const std::optional<Units> own = latent_form_row(unplaced.latent.form).units;
      unplaced.fits =
          core::fitting_spaces(unplaced.statistics.channels, {own ? own : told.units, reading == Reading::packed});
      unplaced.knows_size = reading == Reading::plain || told.size.has_value();
      return unplaced;
    } catch (const Error& error) {
      if (!problem) problem = error;
    }
  }
  if (problem) throw Error(*problem);
  throw Error(
      ErrorKind::input,
      name + " has a tensor " + shape_text(shape) + ", and no space that lapis knows has latents of that shape.",
      "Latents are [batch, channels, height, width]; lapis list spaces shows the channels");
}

}  // namespace lapis::io
