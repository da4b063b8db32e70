// The parts of one model: loaded when they are needed, let go when they have done their work.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/part_slot.hpp"
#include "engine/text_encodings.hpp"
#include "lapis/attachments.hpp"
#include "lapis/model.hpp"
#include "lapis/part_kind.hpp"
#include "lapis/timings.hpp"

namespace lapis::engine {

/// A slot for each kind of part. A part is loaded by the first call that asks for it, and again after it was released.
class Parts {
 public:
  /// Loads nothing.
  Parts(Model model, const Placements& placements);

  const Model& model() const { return model_; }
  Placement placement(PartKind kind) const { return placements_.of(kind); }

  /// Of all parts that are here, mapped weights too, and of encodings. A part that is still coming has no size yet: it
  /// counts once it was asked for. One that nobody asks for, for its request ended before, goes with its stage in the
  /// model's next request, or with the model.
  std::uint64_t bytes() const;

  /// The attachments of parts from now on. A part in memory is bound again where they touch it, when it is asked for
  /// next; the encodings of a text encoder that they touch go.
  void attach(const Attachments& attachments);

  /// What the text encoders made of prompts, with the attachments that they have now. Stays where they are released.
  TextEncodings& encodings() { return encodings_; }

  /// Loads side by side what is not here yet: the first of them in this thread, each other in one of its own.
  void ensure(std::span<const PartKind> kinds);

  /// Begins to load a part beside what runs.
  void expect(PartKind kind);

  /// The part, loaded where it is not here. Throws Error{model} for a kind that the model has not, and what loading
  /// throws (`LoadedPart`). So do `ensure`, and `expect` for a kind that the model has not.
  LoadedPart& part(PartKind kind);

  /// The part in fp32, beside the one that is here, for a picture that overflowed in half precision: what one picture
  /// met is nothing to the next. Throws as `part`, and Error{internal} for a kind that has no such twin.
  LoadedPart& in_fp32(PartKind kind);

  /// Lets the parts of a stage go, one that is still coming as soon as it is here.
  void release(PartStage stage);

  /// Lets every part go, and all encodings.
  void release_all();

  /// Seconds of module calls so far, and of loading since the last call.
  Timings module_seconds() const;
  double take_load_seconds();

 private:
  PartSlot::Load loading(PartKind kind, Placement placement) const;

  double load_seconds_ = 0;  ///< spent waiting for parts since the last `take_load_seconds`
  Model model_;
  Placements placements_;
  Attachments attachments_;
  TextEncodings encodings_;
  std::array<PartSlot, part_kinds.size()> slots_;
  std::array<PartSlot, part_kinds.size()> twins_;  ///< the same parts in fp32
};

/// The parts that every picture needs, the largest first: denoiser, text encoders, VAE decoder.
std::vector<PartKind> parts_to_draw(const Model& model);

}  // namespace lapis::engine
