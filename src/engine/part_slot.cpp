#include "engine/part_slot.hpp"

#include <utility>

#include "io/file/shortage.hpp"

namespace lapis::engine {

PartSlot::State PartSlot::state() const {
  if (part_) return State::here;
  return coming_.valid() ? State::coming : State::empty;
}

void PartSlot::expect(Load load) {
  if (state() != State::empty) return;
  coming_ = std::async(std::launch::async, [load = std::move(load)] {
    if (!io::make_thread_locals()) throw io::memory_shortage();
    return load();
  });
}

LoadedPart& PartSlot::part(const Load& load) {
  switch (state()) {
    case State::here: break;
    case State::coming: part_.emplace(coming_.get()); break;
    case State::empty: part_.emplace(load()); break;
  }
  return *part_;
}

void PartSlot::release() {
  coming_ = {};
  if (!part_) return;
  earlier_seconds_ += part_->seconds();
  // Without room for what libtorch keeps for a thread, the part goes with the future, in the thread that holds that.
  going_ = std::async(std::launch::async, [gone = std::exchange(part_, std::nullopt)]() mutable {
    if (io::make_thread_locals()) gone.reset();
  });
}

double PartSlot::seconds() const { return earlier_seconds_ + (part_ ? part_->seconds() : 0); }

}  // namespace lapis::engine
