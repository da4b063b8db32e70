#include "engine/text_encodings.hpp"

#include <algorithm>

namespace lapis::engine {

bool EncodingKey::operator==(const EncodingKey& other) const {
  return encoder == other.encoder && clip_skip == other.clip_skip && rows.prompts == other.rows.prompts &&
         rows.chunks == other.rows.chunks && rows.syntax == other.rows.syntax && rows.ids.equal(other.rows.ids) &&
         rows.weights.equal(other.rows.weights);
}

const TextEncoding* TextEncodings::find(const EncodingKey& key) {
  const auto found = std::ranges::find_if(entries_, [&](const auto& entry) { return entry.first == key; });
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return &entries_.front().second;
}

const TextEncoding& TextEncodings::keep(EncodingKey key, const TextEncoding& made) {
  const at::Tensor pooled = made.pooled.defined() ? made.pooled.clone() : at::Tensor();
  entries_.emplace_front(std::move(key), TextEncoding{made.context.clone(), pooled});
  if (entries_.size() > most) entries_.pop_back();
  return entries_.front().second;
}

void TextEncodings::drop(PartKind encoder) {
  entries_.remove_if([&](const auto& entry) { return entry.first.encoder == encoder; });
}

std::uint64_t TextEncodings::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [key, encoding] : entries_) {
    for (const at::Tensor* tensor : {&encoding.context, &encoding.pooled}) {
      if (tensor->defined()) sum += tensor->nbytes();
    }
  }
  return sum;
}

}  // namespace lapis::engine
