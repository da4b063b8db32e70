#include "core/picture/resize_mode.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/family/families.hpp"
#include "core/picture/resize.hpp"
#include "core/text/choice.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr double largest_share = 16;  // of the model's own area, where the job names no size

/// Copies what of `from`, laid with its top left corner at (left, top), falls into `to`.
void put_into(const Pixels& from, int left, int top, Pixels& to) {
  const auto channels = static_cast<std::size_t>(to.channels);
  const int first_x = std::max(left, 0);
  const int first_y = std::max(top, 0);
  const int end_x = std::min(left + from.width, to.width);
  const int end_y = std::min(top + from.height, to.height);
  if (first_x >= end_x) return;
  const std::size_t count = static_cast<std::size_t>(end_x - first_x) * channels;
  for (int y = first_y; y < end_y; ++y) {
    const auto source = static_cast<std::size_t>(y - top) * static_cast<std::size_t>(from.width) +
                        static_cast<std::size_t>(first_x - left);
    const auto target =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(to.width) + static_cast<std::size_t>(first_x);
    std::copy_n(from.bytes.begin() + static_cast<std::ptrdiff_t>(source * channels), count,
                to.bytes.begin() + static_cast<std::ptrdiff_t>(target * channels));
  }
}

/// `value` * `numerator` / `denominator`, rounded down, at least 1.
int share(int value, int numerator, int denominator) {
  return static_cast<int>(std::max<std::int64_t>(std::int64_t{value} * numerator / denominator, 1));
}

/// `picture`, drawn out above, below or beside to fill `canvas`, in which it lies in the middle.
void draw_out(const Pixels& picture, Pixels& canvas) {
  const int above = canvas.height / 2 - picture.height / 2;
  const int beside = canvas.width / 2 - picture.width / 2;
  const auto right = static_cast<double>(picture.width);
  const auto bottom = static_cast<double>(picture.height);
  // Pillow's own default filter, which diffusers leaves in place here.
  const auto line = [&](int width, int height, const Box& box) {
    return resized(picture, width, height, Filter::bicubic, box);
  };
  if (above > 0) {
    put_into(line(canvas.width, above, {0, 0, right, 0}), 0, 0, canvas);
    put_into(line(canvas.width, above, {0, bottom, right, bottom}), 0, above + picture.height, canvas);
  }
  if (beside > 0) {
    put_into(line(beside, canvas.height, {0, 0, 0, bottom}), 0, 0, canvas);
    put_into(line(beside, canvas.height, {right, 0, right, bottom}), beside + picture.width, 0, canvas);
  }
}

std::string flags_text(std::int64_t width, std::int64_t height) {
  return sentence("{-width} {} {-height} {}", width, height);
}

/// The multiple of `multiple` next to `value`, within the limits of a side.
std::int64_t near_multiple(double value, int multiple) {
  const double side = std::clamp(value, side_limits.lowest, side_limits.highest);
  return std::max<std::int64_t>(std::llround(side / multiple), 1) * multiple;
}

/// Flags for a picture of this shape with about the pixels of the model's own size.
std::string advised_size(const Model& model, int multiple, int width, int height) {
  const double factor = std::sqrt(static_cast<double>(model.defaults.width) * model.defaults.height / width / height);
  return flags_text(near_multiple(width * factor, multiple), near_multiple(height * factor, multiple));
}

}  // namespace

std::span<const ResizeModeRow> resize_modes() {
  // clang-format off
  static const std::array<ResizeModeRow, 3> rows = {{
      {ResizeMode::stretch, "stretch", "all of the picture, its sides stretched to the size"},
      {ResizeMode::crop,    "crop",    "the middle of the picture, in its own shape"},
      {ResizeMode::pad,     "pad",     "all of the picture in its own shape, its edges drawn out"},
  }};
  // clang-format on
  return rows;
}

const ResizeModeRow& find_resize_mode(std::string_view name) {
  return row_named(field_name("fit"), name, resize_modes());
}

Pixels fitted(const Pixels& pixels, int width, int height, ResizeMode mode) {
  if (mode == ResizeMode::stretch) return resized(pixels, width, height, Filter::lanczos);
  const double shape = static_cast<double>(width) / height;
  const double own_shape = static_cast<double>(pixels.width) / pixels.height;
  const bool full_width = mode == ResizeMode::crop ? shape > own_shape : shape < own_shape;
  const bool full_height = mode == ResizeMode::crop ? shape <= own_shape : shape >= own_shape;
  const Pixels inner = resized(pixels, full_width ? width : share(pixels.width, height, pixels.height),
                               full_height ? height : share(pixels.height, width, pixels.width), Filter::lanczos);
  Pixels canvas = make_pixels(width, height, pixels.channels);
  put_into(inner, width / 2 - inner.width / 2, height / 2 - inner.height / 2, canvas);
  if (mode == ResizeMode::pad) draw_out(inner, canvas);
  return canvas;
}

void take_size(Job& job, const Model& model, int width, int height) {
  if (job.width && job.height) return;
  const int multiple = find_family(model.family)->size_multiple;
  if (job.width || job.height) {
    if (job.width) {
      job.height = near_multiple(static_cast<double>(*job.width) * height / width, multiple);
    } else {
      job.width = near_multiple(static_cast<double>(*job.height) * width / height, multiple);
    }
    return;
  }
  const std::int64_t below_width = width - width % multiple;
  const std::int64_t below_height = height - height % multiple;
  const double share_of_own = static_cast<double>(width) * height / model.defaults.width / model.defaults.height;
  if (static_cast<double>(std::min(below_width, below_height)) < side_limits.lowest) {
    throw Error(ErrorKind::usage, sentence("the picture is {} x {} pixels; the smallest that is drawn is 64 x 64. Say "
                                           "the size to draw it at: {}",
                                           width, height, advised_size(model, multiple, width, height)));
  }
  if (share_of_own > largest_share) {
    throw Error(ErrorKind::usage,
                sentence("the picture is {} x {} pixels, {} times as many as {} draws by itself.", width, height,
                         std::llround(share_of_own), model.name),
                sentence("Say the size to draw it at: {}, or all of it: {}",
                         advised_size(model, multiple, width, height), flags_text(below_width, below_height)));
  }
  job.width = below_width;
  job.height = below_height;
}

std::optional<std::string> size_note(const ResolvedJob& job, const Model& model) {
  const int width = std::max(job.width, job.hires_width);
  const int height = std::max(job.height, job.hires_height);
  const double share = static_cast<double>(width) * height / model.defaults.width / model.defaults.height;
  if (share <= largest_share) return std::nullopt;
  const std::string advice = job.hires ? "" : sentence(". For a large picture of one piece: {hires}");
  return sentence(
      "{} x {} pixels are {} times as many as {} draws by itself ({} x {}): each step takes at least that "
      "many times as long, and shapes are likely to repeat{}",
      width, height, std::llround(share), model.name, model.defaults.width, model.defaults.height, advice);
}

}  // namespace lapis::core
