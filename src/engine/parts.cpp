#include "engine/parts.hpp"

#include <string>
#include <utility>
#include <vector>

#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

Parts::Parts(Model model, const Placements& placements) : model_(std::move(model)), placements_(placements) {}

std::uint64_t Parts::bytes() const {
  std::uint64_t sum = encodings_.bytes();
  for (const auto* slots : {&slots_, &twins_}) {
    for (const PartSlot& slot : *slots) sum += slot.held() != nullptr ? slot.held()->bytes() : 0;
  }
  return sum;
}

PartSlot::Load Parts::loading(PartKind kind, Placement placement) const {
  const std::string name(row_of(kind).name);
  const Part* part = find_part(model_, kind);
  if (part == nullptr) throw Error(ErrorKind::model, core::sentence("model {} has no {}", model_.name, name));
  return [part = *part, name, placement, attachments = attachments_.of(kind)] {
    return LoadedPart(part, name, placement, attachments);
  };
}

void Parts::attach(const Attachments& attachments) {
  for (const PartKindRow& row : part_kinds) {
    if (attachments_.of(row.kind) != attachments.of(row.kind)) encodings_.drop(row.kind);
  }
  attachments_ = attachments;
}

void Parts::ensure(std::span<const PartKind> kinds) {
  for (std::size_t i = 1; i < kinds.size(); ++i) expect(kinds[i]);
  for (const PartKind kind : kinds) part(kind);
}

void Parts::expect(PartKind kind) {
  PartSlot& slot = slots_[index_of(kind)];
  if (slot.state() == PartSlot::State::empty) slot.expect(loading(kind, placement(kind)));
}

LoadedPart& Parts::part(PartKind kind) {
  PartSlot& slot = slots_[index_of(kind)];
  const PartAttachments& attachments = attachments_.of(kind);
  if (slot.held() != nullptr && slot.held()->attachments() == attachments) return *slot.held();
  const core::Timed timed(load_seconds_);
  LoadedPart& part = slot.part(loading(kind, placement(kind)));
  part.attach(attachments);
  return part;
}

LoadedPart& Parts::in_fp32(PartKind kind) {
  if (!row_of(kind).has_fp32_twin)
    throw Error(ErrorKind::internal, "a part was asked for in fp32 that has no such twin");
  const core::Timed timed(load_seconds_);
  return twins_[index_of(kind)].part(loading(kind, {placement(kind).device, at::kFloat}));
}

void Parts::release(PartStage stage) {
  for (const PartKindRow& row : part_kinds) {
    if (row.stage != stage) continue;
    for (PartSlot* slot : {&slots_[index_of(row.kind)], &twins_[index_of(row.kind)]}) {
      slot->release();
    }
  }
}

void Parts::release_all() {
  for (auto* slots : {&slots_, &twins_}) {
    for (PartSlot& slot : *slots) slot.release();
  }
  encodings_.clear();
}

Timings Parts::module_seconds() const {
  Timings timings;
  for (const PartKindRow& row : part_kinds) {
    timings.of(row.kind) = slots_[index_of(row.kind)].seconds() + twins_[index_of(row.kind)].seconds();
  }
  return timings;
}

double Parts::take_load_seconds() { return std::exchange(load_seconds_, 0.0); }

std::vector<PartKind> parts_to_draw(const Model& model) {
  std::vector<PartKind> kinds;
  for (const PartStage stage : {PartStage::steps, PartStage::prompt, PartStage::decoding}) {
    for (const PartKindRow& row : part_kinds) {
      if (row.stage == stage && find_part(model, row.kind) != nullptr) kinds.push_back(row.kind);
    }
  }
  return kinds;
}

}  // namespace lapis::engine
