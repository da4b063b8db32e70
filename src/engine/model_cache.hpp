// The models that are in memory.
#pragma once

#include <cstdint>
#include <list>

#include "engine/parts.hpp"
#include "engine/placement.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// Parts of several models, the model used last first. What may stay when its work is done is a budget of bytes
/// (`EngineOptions::keep_bytes`).
class ModelCache {
 public:
  ModelCache(const Placements& placements, std::uint64_t budget) : placements_(placements), budget_(budget) {}

  const Placements& placements() const { return placements_; }

  /// The parts of `model`, which is now the one used last; loads nothing. They stay where they are until the model is
  /// let go.
  Parts& use(const Model& model);

  /// The parts of this stage of the model used last have done their work. They go where what is in memory is beyond the
  /// budget even without any other model.
  void done(PartStage stage);

  /// Lets models go, the one unused longest first, until the rest is within the budget; never the one used last.
  void trim();

 private:
  bool is_beyond_budget() const;

  Placements placements_;
  std::uint64_t budget_;
  std::list<Parts> models_;
  std::list<Parts> going_;  ///< let go last, and perhaps not yet taken to pieces
};

}  // namespace lapis::engine
