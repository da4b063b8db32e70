// The parts that models are made of: one row each.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace lapis {

/// A part of a model, in the order in which a picture goes through them.
enum class PartKind { text_encoder, text_encoder_2, vae_encoder, denoiser, vae_decoder };

/// What a part works for. Parts of one stage are needed together, and have done their work together.
enum class PartStage {
  prompt,    ///< a prompt becomes what the denoiser reads: once a request
  encoding,  ///< a picture becomes a latent
  steps,     ///< noise becomes a latent
  decoding,  ///< a latent becomes a picture
};

/// What is known of a part beside its files, which are a model's own (`Part`).
struct PartKindRow {
  PartKind kind;
  std::string_view name;     ///< in model.json, in messages, and the key of `Model::parts`
  std::string_view seconds;  ///< key of "timings" in result lines; seconds of parts with one key are added up there
  PartStage stage;
  bool has_fp32_twin;  ///< runs a second time in fp32 where its numbers overflow in half precision
};

/// The rows of every part, in the order of `PartKind`.
inline constexpr std::array<PartKindRow, 5> part_kinds = {{
    {PartKind::text_encoder, "text_encoder", "text_encoder", PartStage::prompt, false},
    {PartKind::text_encoder_2, "text_encoder_2", "text_encoder", PartStage::prompt, false},
    {PartKind::vae_encoder, "vae_encoder", "vae_encoder", PartStage::encoding, true},
    {PartKind::denoiser, "denoiser", "denoiser", PartStage::steps, false},
    {PartKind::vae_decoder, "vae_decoder", "vae_decoder", PartStage::decoding, true},
}};

/// A part's place in arrays that have one element for each kind.
constexpr std::size_t index_of(PartKind kind) { return static_cast<std::size_t>(kind); }

/// The row of a part.
constexpr const PartKindRow& row_of(PartKind kind) { return part_kinds[index_of(kind)]; }

/// The part of this name, or none.
constexpr std::optional<PartKind> find_part_kind(std::string_view name) {
  for (const PartKindRow& row : part_kinds) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

static_assert([] {
  for (std::size_t i = 0; i < part_kinds.size(); ++i) {
    if (index_of(part_kinds[i].kind) != i) return false;
  }
  return true;
}());

}  // namespace lapis
