// Pixels of the first frame of GIF files (GIF87a, GIF89a).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Reads what stands before the first frame's pixels. `name` is the file that errors speak of.
/// Throws Error{input} if it is damaged or cut short, has no frame, or no palette.
PictureFacts read_gif_facts(std::span<const std::byte> file, const std::string& name);

/// Reads the first frame, laid on a screen of its transparent colour or, without one, of the palette's first, as Pillow
/// does. `facts` are the file's own.
/// Throws Error{input} if its data end early, have a code that was not made yet, or a colour that its palette lacks.
core::Pixels read_gif(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
