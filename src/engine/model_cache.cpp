#include "engine/model_cache.hpp"

#include <algorithm>
#include <iterator>

namespace lapis::engine {

Parts& ModelCache::use(const Model& model) {
  const auto known = std::ranges::find(models_, model, &Parts::model);
  if (known == models_.end()) {
    models_.emplace_front(model, placements_);
  } else {
    models_.splice(models_.begin(), models_, known);
  }
  trim();
  return models_.front();
}

void ModelCache::done(PartStage stage) {
  trim();
  if (is_beyond_budget()) models_.front().release(stage);
}

void ModelCache::trim() {
  while (models_.size() > 1 && is_beyond_budget()) {
    models_.back().release_all();
    going_.splice(going_.begin(), models_, std::prev(models_.end()));
  }
  while (going_.size() > 1) going_.pop_back();
}

bool ModelCache::is_beyond_budget() const {
  if (budget_ == 0) return true;  // nothing is counted then, nor what is still coming and has no size yet
  std::uint64_t sum = 0;
  for (const Parts& parts : models_) sum += parts.bytes();
  return sum > budget_;
}

}  // namespace lapis::engine
