#include "io/file/pending_files.hpp"

#include <array>
#include <atomic>
#include <climits>
#include <cstring>
#include <string>

#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/remove_tree.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

namespace {

enum class SlotState : int { free, filling, active };

// Static and fixed in size, so that a signal handler can walk it at any moment.
struct Slot {
  std::atomic<SlotState> state{SlotState::free};
  std::array<char, PATH_MAX> path{};
};
static_assert(std::atomic<SlotState>::is_always_lock_free);

std::array<Slot, 16> slots;

std::size_t claim_slot() {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    SlotState expected = SlotState::free;
    if (slots[i].state.compare_exchange_strong(expected, SlotState::filling)) return i;
  }
  throw Error(ErrorKind::internal, core::sentence("more than {} files are being written at once.", slots.size()));
}

}  // namespace

PendingFile::PendingFile(const std::filesystem::path& path) : slot_(0) {
  const std::string& text = path.native();
  if (text.size() >= PATH_MAX) {
    throw Error(ErrorKind::output,
                core::sentence("{} cannot be written: its path is too long. Choose a shorter one.", text));
  }
  slot_ = claim_slot();
  std::memcpy(slots[slot_].path.data(), text.c_str(), text.size() + 1);
  slots[slot_].state.store(SlotState::active);
}

PendingFile::~PendingFile() {
  if (!kept_) remove_tree(slots[slot_].path.data());
  slots[slot_].state.store(SlotState::free);
}

void PendingFile::keep() { kept_ = true; }

void remove_pending_files() noexcept {
  for (const Slot& slot : slots) {
    if (slot.state.load() == SlotState::active) remove_tree(slot.path.data());
  }
}

}  // namespace lapis::io
