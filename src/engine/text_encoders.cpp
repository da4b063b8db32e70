#include "engine/text_encoders.hpp"

#include <utility>

namespace lapis::engine {
namespace {

EncodingKey key_of(PartKind encoder, const RenderRequest& request) {
  const char* tokenizer = encoder == PartKind::text_encoder ? "tokenizer" : "tokenizer_2";
  return {encoder, prompt_rows(request, tokenizer), request.job.clip_skip};
}

}  // namespace

TextEncoding encoded(Parts& parts, PartKind encoder, const RenderRequest& request, const Encode& encode) {
  EncodingKey key = key_of(encoder, request);
  if (const TextEncoding* kept = parts.encodings().find(key)) return *kept;
  const TextEncoding made = encode(parts.part(encoder), key.rows);
  return parts.encodings().keep(std::move(key), made);
}

std::vector<PartKind> needed(Parts& parts, std::vector<PartKind> kinds, const RenderRequest& request) {
  std::erase_if(kinds, [&](PartKind kind) {
    return row_of(kind).stage == PartStage::prompt && parts.encodings().find(key_of(kind, request)) != nullptr;
  });
  return kinds;
}

}  // namespace lapis::engine
