// What a checkpoint is, from the names and shapes of its tensors alone.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"

namespace lapis::core {

struct Relative;

/// A graph that checkpoints are matched with (models/graphs).
struct KnownGraph {
  std::string name;
  std::string part;  ///< "denoiser", "vae_decoder", "vae_encoder" or "text_encoder"
  std::vector<TensorShape> tensors;
};

/// Many lines, of which the first few are kept.
struct Listing {
  std::size_t count = 0;
  std::vector<std::string> first;  ///< at most `listing_length`
};

constexpr std::size_t listing_length = 5;

/// Counts a line, and keeps it where there is room.
void append(Listing& listing, std::string line);

/// "a; b; and 3 more".
std::string listing_text(const Listing& listing);

/// What a checkpoint has of one graph.
struct GraphMatch {
  std::string graph;
  std::string part;
  KeyScheme key_scheme = KeyScheme::diffusers;
  std::string prefix;      ///< what stands before the key scheme's names in this checkpoint
  std::size_t wanted = 0;  ///< tensors of the checkpoint that the graph needs
  Listing missing;         ///< names, as the checkpoint would have them
  Listing shape_mismatch;  ///< "NAME is [...], expected [...]"

  std::size_t fitting() const { return wanted - missing.count - shape_mismatch.count; }
  bool complete() const { return fitting() == wanted; }
};

/// What a checkpoint is, and which graphs it has the weights of.
struct CheckpointKind {
  const Relative* relative = nullptr;  ///< what its names say it is where it holds no denoiser that is known
  std::string title;   ///< "Stable Diffusion 1.5", "a VAE alone", "Stable Diffusion 3", ...; "" where nothing tells
  bool known = false;  ///< the title is of something whose graphs are known, or of a part of it
  std::vector<GraphMatch> complete;  ///< no tensor is in two of them; where several graphs match, the largest
  std::vector<GraphMatch> partial;   ///< at least half there, and no complete one has its tensors; the fullest first
  std::vector<GraphMatch> nearest;   ///< the one that has most, where none is complete or partial; else none
  std::vector<TensorShape> extra;    ///< tensors that no complete and no partial graph needs
};

/// Matches a checkpoint with every graph in every key scheme that applies, behind every prefix. Cost: a few hundred
/// thousand look-ups.
CheckpointKind identify(std::span<const TensorShape> checkpoint, std::span<const KnownGraph> graphs);

}  // namespace lapis::core
