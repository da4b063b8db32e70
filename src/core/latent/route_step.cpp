#include "core/latent/route_step.hpp"

#include <algorithm>
#include <array>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

std::string unpack_text(const RouteStep&) { return "unpack the tokens to [batch, channels, height, width]"; }

std::string pack_text(const RouteStep&) { return "pack the cells into tokens"; }

std::string relabel_text(const RouteStep& step) {
  return sentence("keep the raw VAE values, which are those of {} too", space_name(step.to));
}

std::string to_vae_text(const RouteStep& step) {
  const Space& space = step.from;
  const std::string name = space_name(space);
  const std::string scale = number_text(space.scale);
  if (!space.mean.empty()) return sentence("to raw VAE values of {}: v = m * deviation / {} + mean", name, scale);
  if (space.shift == 0) return sentence("to raw VAE values of {}: v = m / {}", name, scale);
  return sentence("to raw VAE values of {}: v = m / {} + {}", name, scale, number_text(space.shift));
}

std::string to_model_text(const RouteStep& step) {
  const Space& space = step.to;
  const std::string name = space_name(space);
  const std::string scale = number_text(space.scale);
  if (!space.mean.empty()) return sentence("to model units of {}: m = (v - mean) * {} / deviation", name, scale);
  if (space.shift == 0) return sentence("to model units of {}: m = v * {}", name, scale);
  return sentence("to model units of {}: m = (v - {}) * {}", name, number_text(space.shift), scale);
}

std::string decode_text(const RouteStep& step) {
  const std::string name = space_name(step.from);
  if (step.size.width <= 0) return sentence("decode by the VAE of {}", name);
  return sentence("decode by the VAE of {} to {} pixels", name, size_text(step.size));
}

std::string resize_text(const RouteStep& step) {
  return sentence("resize to {} pixels by Lanczos", size_text(step.size));
}

std::string encode_text(const RouteStep& step) { return sentence("encode by the VAE of {}", space_name(step.to)); }

const auto& table() {
  using K = StepKind;
  using V = Verdict;
  constexpr auto own_decoder = StepNeed::own_decoder;
  constexpr auto encoder = StepNeed::target_encoder;
  constexpr auto decoder = StepNeed::target_decoder;
  // clang-format off
  static const std::array rows = {
      //      kind           name          verdict        needs               decodes encodes lossless  text  aside
      StepRow{K::unpack,     "unpack",     V::repack,     {},                  0, 0, true,  unpack_text,   ""},
      StepRow{K::to_vae,     "to-vae",     V::rescale,    {},                  0, 0, true,  to_vae_text,   ""},
      StepRow{K::relabel,    "relabel",    V::rescale,    {},                  0, 0, true,  relabel_text,  ""},
      StepRow{K::to_model,   "to-model",   V::rescale,    {},                  0, 0, true,  to_model_text, ""},
      StepRow{K::decode,     "decode",     V::re_encode,  {own_decoder},       1, 0, false, decode_text,   ""},
      StepRow{K::resize,     "resize",     V::re_encode,  {},                  0, 0, false, resize_text,   ""},
      StepRow{K::encode,     "encode",     V::re_encode,  {encoder},           0, 1, false, encode_text,   ""},
      StepRow{K::measure,    "measure",    V::re_encode,  {decoder},           1, 0, true,  nullptr,
              "1 decode to measure"},
      StepRow{K::compensate, "compensate", V::re_encode,  {encoder, decoder},  1, 1, false, nullptr,
              "1 encode and 1 decode to compensate colours"},
      StepRow{K::pack,       "pack",       V::repack,     {},                  0, 0, true,  pack_text,     ""},
  };
  // clang-format on
  return rows;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::same: return "same";
    case Verdict::rescale: return "rescale";
    case Verdict::repack: return "repack";
    case Verdict::re_encode: return "re-encode";
    case Verdict::refuse: return "refuse";
  }
  throw Error(ErrorKind::internal, "a verdict without a name");
}

std::span<const StepRow> step_rows() { return table(); }

const StepRow& step_row(StepKind kind) {
  const auto row = std::ranges::find(table(), kind, &StepRow::kind);
  if (row == table().end()) throw Error(ErrorKind::internal, "a kind of step without a row");
  return *row;
}

}  // namespace lapis::core
