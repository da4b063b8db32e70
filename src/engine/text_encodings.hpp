// What text encoders made of prompts, kept for the next request that says the same.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>

#include "engine/prompt_rows.hpp"
#include "lapis/part_kind.hpp"

namespace lapis::engine {

/// What a text encoder makes of a job's prompts; the negative's row first where there is one.
struct TextEncoding {
  at::Tensor context;  ///< [prompts, chunks * tokens, width], weighed
  at::Tensor pooled;   ///< [prompts, pooled width]: of the first chunk, weights play no part; undefined where the
                       ///< encoder gives none
};

/// All that decides, beside its weights, what a text encoder makes of a request. Both prompts are in it, for they go
/// through in one call, whose rounding depends on all of its rows.
struct EncodingKey {
  PartKind encoder;
  PromptRows rows;
  int clip_skip = 0;

  bool operator==(const EncodingKey& other) const;
};

/// The encodings used last of the text encoders of one model, as their weights are.
class TextEncodings {
 public:
  static constexpr std::size_t most = 32;

  /// The encoding of this key, which is now the one used last; null where it is not here.
  const TextEncoding* find(const EncodingKey& key);

  /// Keeps a copy, for the one made is a view of all layers, and returns it. Beyond `most` the one unused longest goes.
  const TextEncoding& keep(EncodingKey key, const TextEncoding& made);

  /// Lets the encodings of one text encoder go.
  void drop(PartKind encoder);

  /// Lets all go.
  void clear() { entries_.clear(); }

  /// Bytes of its tensors.
  std::uint64_t bytes() const;

 private:
  std::list<std::pair<EncodingKey, TextEncoding>> entries_;  ///< the one used last first
};

}  // namespace lapis::engine
