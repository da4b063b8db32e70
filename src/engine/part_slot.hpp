// Where one part of a model is kept.
#pragma once

#include <functional>
#include <future>
#include <optional>

#include "engine/part.hpp"

namespace lapis::engine {

/// Empty, waiting for a part that is loaded in a thread of its own, or holding one. What is released goes in such a
/// thread too, for taking a graph to pieces takes up to 0.1 s. Not safe to share between threads.
class PartSlot {
 public:
  enum class State { empty, coming, here };
  using Load = std::function<LoadedPart()>;

  State state() const;

  /// Begins to load beside what runs; of a slot that is not empty nothing is changed.
  void expect(Load load);

  /// The part: the one here, the one waited for, or what `load` gives now. Throws what loading throws; the slot is then
  /// empty.
  LoadedPart& part(const Load& load);

  /// The part that is here; null where none is.
  LoadedPart* held() { return part_ ? &*part_ : nullptr; }
  const LoadedPart* held() const { return part_ ? &*part_ : nullptr; }

  /// Empties the slot; waits for a part that is coming.
  void release();

  /// Seconds of module calls so far, those of parts that were released included.
  double seconds() const;

 private:
  std::optional<LoadedPart> part_;
  std::future<LoadedPart> coming_;
  std::future<void> going_;
  double earlier_seconds_ = 0;
};

}  // namespace lapis::engine
