#include "core/prompt/prompt_chunks.hpp"

#include <algorithm>

#include "core/prompt/embedding_names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr std::size_t comma_reach = 20;   ///< of A1111's "prompt word wrap length limit"
constexpr std::size_t longest_whole = 8;  ///< tokens from which ComfyUI cuts a word where a chunk ends

/// Tokens of one weight that came from one text or one name.
struct Group {
  std::vector<PromptToken> tokens;
  float weight = 1;
  bool breaks = false;
  bool embedding = false;
};

struct Weighted {
  PromptToken token;
  float weight = 1;
};

/// The chunks so far, and the one that is being filled.
class Chunks {
 public:
  explicit Chunks(const ChunkFrame& frame) : frame_(frame), room_(frame.length - (frame.start ? 2 : 1)) {}

  std::size_t room() const { return room_; }
  std::size_t used() const { return filling_.size(); }
  void add(const PromptToken& token, float weight) { filling_.push_back({token, weight}); }

  /// Ends the chunk with its first `kept` tokens; the others begin the next one.
  void end_after(std::size_t kept) {
    TokenChunk chunk;
    const auto put = [&](std::int64_t id, float weight) {
      chunk.ids.push_back(id);
      chunk.weights.push_back(weight);
    };
    if (frame_.start) put(*frame_.start, 1);
    for (std::size_t i = 0; i < kept; ++i) put(filling_[i].token.id, filling_[i].weight);
    put(frame_.end, 1);
    while (chunk.ids.size() < frame_.length) put(frame_.pad, 1);
    chunks_.push_back(std::move(chunk));
    filling_.erase(filling_.begin(), filling_.begin() + static_cast<std::ptrdiff_t>(kept));
  }

  void end() { end_after(filling_.size()); }

  Tokens finish() {
    if (!filling_.empty() || chunks_.empty()) end();
    return std::move(chunks_);
  }

 private:
  const ChunkFrame& frame_;
  std::size_t room_;
  std::vector<Weighted> filling_;
  Tokens chunks_;
};

void check_fits(const Group& group, std::size_t room) {
  if (group.tokens.size() <= room) return;
  throw Error(ErrorKind::usage, sentence("the embedding {}has {} vectors; a chunk has room for {}. Leave it out",
                                         group.tokens.front().text, group.tokens.size(), room));
}

Tokens fill_a1111(const std::vector<Group>& groups, const ChunkFrame& frame) {
  constexpr auto none = static_cast<std::size_t>(-1);
  Chunks chunks(frame);
  std::size_t comma = none;  // its place in the chunk that is being filled
  const auto end_after = [&](std::size_t kept) {
    chunks.end_after(kept);
    comma = none;
  };
  const auto wrap = [&](std::size_t needed) {
    const bool full = chunks.used() == chunks.room();
    if (full && comma != none && chunks.used() - comma <= comma_reach) end_after(comma + 1);
    if (chunks.used() + needed > chunks.room()) end_after(chunks.used());
  };
  for (const Group& group : groups) {
    if (group.breaks) end_after(chunks.used());
    if (group.embedding) {
      check_fits(group, chunks.room());
      wrap(group.tokens.size());
    }
    for (const PromptToken& token : group.tokens) {
      if (!group.embedding && token.id == frame.comma) {
        if (chunks.used() == chunks.room()) end_after(chunks.used());
        comma = chunks.used();
      } else {
        wrap(1);
      }
      chunks.add(token, group.weight);
    }
  }
  return chunks.finish();
}

Tokens fill_comfy(const std::vector<Group>& groups, const ChunkFrame& frame) {
  Chunks chunks(frame);
  for (const Group& group : groups) {
    const bool whole = group.tokens.size() < longest_whole;
    if (whole && chunks.used() + group.tokens.size() > chunks.room()) chunks.end();
    for (const PromptToken& token : group.tokens) {
      if (chunks.used() == chunks.room()) chunks.end();
      chunks.add(token, group.weight);
    }
  }
  return chunks.finish();
}

/// Everything into one chunk; what is beyond it goes to `cut`.
Tokens fill_one(const std::vector<Group>& groups, const ChunkFrame& frame, std::string& cut) {
  Chunks chunks(frame);
  std::vector<PromptToken> beyond;
  for (const Group& group : groups) {
    for (const PromptToken& token : group.tokens) {
      if (chunks.used() < chunks.room()) {
        chunks.add(token, group.weight);
      } else {
        beyond.push_back(token);
      }
    }
  }
  cut = decoded(beyond);
  return chunks.finish();
}

Group embedding_group(const NamedIds& embedding, const std::string& written, const PromptSegment& segment) {
  Group group{{}, segment.weight, false, true};
  for (const std::int64_t id : embedding.ids) group.tokens.push_back({id, group.tokens.empty() ? written + " " : ""});
  return group;
}

}  // namespace

ChunkFrame clip_frame(const ClipTokenizer& tokenizer) {
  const TokenizerFacts& facts = tokenizer.facts();
  ChunkFrame frame;
  frame.length = static_cast<std::size_t>(facts.length);
  frame.start = facts.start;
  frame.end = facts.end;
  frame.pad = facts.pad;
  const std::vector<PromptToken> comma = tokenizer.tokens(",");
  if (comma.size() == 1) frame.comma = comma.front().id;
  return frame;
}

ChunkFrame t5_frame(const TokenizerFacts& facts) {
  ChunkFrame frame;
  frame.length = static_cast<std::size_t>(facts.length);
  frame.end = facts.end;
  frame.pad = facts.pad;
  frame.many = false;
  return frame;
}

ChunkedPrompt chunk_prompt(const ParsedPrompt& prompt, PromptSyntax syntax, const ChunkFrame& frame,
                           const TokenizeText& tokenize, std::span<const NamedIds> embeddings) {
  std::vector<std::string> names;
  for (const NamedIds& embedding : embeddings) names.push_back(embedding.name);
  ChunkedPrompt result;
  std::vector<Group> groups;
  for (const PromptSegment& segment : prompt.segments) {
    const std::size_t first = groups.size();
    for (const NamedPiece& piece : split_at_names(segment.text, names, syntax, result.unknown)) {
      if (piece.embedding) {
        groups.push_back(embedding_group(embeddings[*piece.embedding], piece.text, segment));
      } else {
        groups.push_back({tokenize(piece.text), segment.weight, false, false});
      }
      result.count += groups.back().tokens.size();
    }
    if (!segment.breaks) continue;
    if (groups.size() == first) groups.push_back({});
    groups[first].breaks = true;
  }
  if (!frame.many || syntax == PromptSyntax::plain) {
    result.chunks = fill_one(groups, frame, result.cut);
  } else {
    result.chunks = syntax == PromptSyntax::a1111 ? fill_a1111(groups, frame) : fill_comfy(groups, frame);
  }
  return result;
}

TokenChunk empty_chunk(const ChunkFrame& frame) { return Chunks(frame).finish().front(); }

}  // namespace lapis::core
