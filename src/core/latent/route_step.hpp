// The kinds of step that a latent's route is made of, a row each: what it needs, what it costs, what it loses, and the
// words that tell it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/job.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// same: nothing to do. rescale: the same VAE's values by other numbers, exact arithmetic. repack: another layout of
/// them (a file format). re_encode: decoded by its own VAE, encoded by the target's. refuse: the numbers would turn
/// into garbage, or contradict each other.
enum class Verdict { same, rescale, repack, re_encode, refuse };

/// "same", "rescale", "repack", "re-encode", "refuse".
std::string_view verdict_name(Verdict verdict);

/// What is done to a latent, or to the picture that it shows.
enum class StepKind {
  unpack,      ///< tokens to [B, C, h, w]
  to_vae,      ///< model units to raw values of the VAE
  relabel,     ///< raw values that two spaces share, from one to the other
  to_model,    ///< raw values of the VAE to model units
  decode,      ///< model units to pictures
  resize,      ///< pictures to another size, by Lanczos
  encode,      ///< pictures to model units
  measure,     ///< the pictures that went in, against those that come out again
  compensate,  ///< pictures with colours shifted against the VAE's drift, encoded in their place where that is nearer
  pack,        ///< [B, C, h, w] to tokens
};

/// A half of a VAE that a step is done with.
enum class StepNeed { own_decoder, target_encoder, target_decoder };

/// One step of a route.
struct RouteStep {
  StepKind kind;
  Space from;      ///< that the latent is in before; of an encode, the one that the encoder writes
  Space to;        ///< that it is in after; of a decode, the one that the decoder reads
  PixelSize size;  ///< of the picture after it; 0 x 0 where the latent does not say its own

  bool operator==(const RouteStep&) const = default;
};

/// One row per kind of step.
struct StepRow {
  StepKind kind;
  std::string_view name;
  Verdict verdict;                        ///< that a route gets by it
  std::vector<StepNeed> needs;            ///< all of them
  int decodes;                            ///< calls of a VAE decoder, for each picture
  int encodes;                            ///< calls of a VAE encoder, for each picture
  bool lossless;                          ///< the way back gives the same numbers, but for rounding in fp32
  std::string (*text)(const RouteStep&);  ///< for people; null: the texts of a route leave the step out
  std::string_view aside;                 ///< its cost, where it is listed apart from the way itself; else empty
};

/// All kinds of steps.
std::span<const StepRow> step_rows();

/// The row of a kind.
const StepRow& step_row(StepKind kind);

}  // namespace lapis::core
