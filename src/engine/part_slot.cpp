#include "engine/part_slot.hpp"

#include <utility>

namespace lapis::engine {

PartSlot::State PartSlot::state() const {
  if (part_) return State::here;
  return coming_.valid() ? State::coming : State::empty;
}

void PartSlot::expect(Load load) {
  if (state() == State::empty) coming_ = std::async(std::launch::async, std::move(load));
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
  going_ = std::async(std::launch::async, [gone = std::exchange(part_, std::nullopt)]() mutable { gone.reset(); });
}

double PartSlot::seconds() const { return earlier_seconds_ + (part_ ? part_->seconds() : 0); }

}  // namespace lapis::engine
