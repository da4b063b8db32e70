// Large pictures through the VAE, piece by piece.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lapis::engine {

/// How a picture is cut, in latent cells. A VAE's convolutions see some cells beyond each pixel, and what they see at a
/// cut is wrong: so neighbours overlap, and the cells next to a cut count for nothing.
struct Tiling {
  std::int64_t tile = 64;     ///< cells of a tile's side: 512 pixels
  std::int64_t overlap = 16;  ///< cells that two neighbours share at least
  std::int64_t margin = 4;    ///< of these, the outermost of each tile that are thrown away
};

/// Whether a picture of this many latent cells goes in tiles: "on" and "off" say so, "auto" does from 1024 x 1024
/// pixels on (more than 16384 cells), which a VAE of full size decodes in about 3 GB.
bool wants_tiles(const std::string& vae_tiling, std::int64_t height, std::int64_t width);

/// Where tiles of one side begin: as few as cover `length` with that overlap, evenly spread, the last at the end.
std::vector<std::int64_t> tile_starts(std::int64_t length, const Tiling& tiling);

/// Runs tiles of `input` [1, C, H, W] one after the other and blends what comes out, linearly over the overlaps.
/// `input_cell` and `output_cell` are the pixels of a latent cell's side on both sides of `run`: 1 and 8 to decode, 8
/// and 1 to encode. Both sides' tensors are fp32 on the CPU. Needs the memory of one tile beside that of the result.
/// Where one tile covers all, the result is that of `run` itself.
at::Tensor in_tiles(const at::Tensor& input, std::int64_t input_cell, std::int64_t output_cell, const Tiling& tiling,
                    const std::function<at::Tensor(const at::Tensor&)>& run);

}  // namespace lapis::engine
