// A picture that the user has, and the size that the model draws.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/picture/pixels.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"

namespace lapis::core {

/// How a picture of another shape is brought to a job's size.
enum class ResizeMode { stretch, crop, pad };

/// One row per resize mode.
struct ResizeModeRow {
  ResizeMode mode;
  std::string name;
  std::string help;  ///< one line
};

/// All resize modes, in the order in which messages list them.
std::span<const ResizeModeRow> resize_modes();

/// The resize mode called `name`. Throws Error{usage} with the names there are.
const ResizeModeRow& find_resize_mode(std::string_view name);

/// `pixels` at the size of a job, by Pillow's Lanczos filter: all of it with its sides stretched; its middle; or all of
/// it in the middle, with its outermost lines drawn out to the edges. Equal to resize_mode "default", "crop" and "fill"
/// of diffusers' VaeImageProcessor in every sample. A picture of that size already is returned as it is.
Pixels fitted(const Pixels& pixels, int width, int height, ResizeMode mode);

/// Fills what the job leaves open of its size from the picture it starts from, `width` by `height` pixels: both sides
/// open, the picture's own, rounded down to the family's multiple as diffusers does; one side open, the other by the
/// picture's shape.
/// Throws Error{usage} with sizes to take where the picture is too small, or has more than 16 times the pixels of the
/// model's own size: a photo of a camera given by mistake would take an hour.
void take_size(Job& job, const Model& model, int width, int height);

/// What is said before a picture is drawn that is far larger than those its model draws by itself, in either pass; none
/// for others.
std::optional<std::string> size_note(const ResolvedJob& job, const Model& model);

}  // namespace lapis::core
