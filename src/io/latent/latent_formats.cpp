#include "io/latent/latent_formats.hpp"

#include <algorithm>
#include <utility>

#include "core/latent/units.hpp"
#include "core/text/choice.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_container.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/latent/latent_numbers.hpp"
#include "io/latent/npy.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

// clang-format off
std::vector<LatentFormatRow> format_table() {
  return {
      // format                  name            units         has_space packs  endings
      {LatentFormat::lapis,        "lapis",         {},           true,  false, {".safetensors"}, "safetensors with a passport (docs/latent-format.md)"},
      {LatentFormat::comfy,        "comfy",         Units::vae,   false, false, {".latent"}, "ComfyUI's SaveLatent, raw VAE values"},
      {LatentFormat::comfy_old,    "comfy-old",     Units::model, false, false, {}, "ComfyUI's before July 2023, SD1's model values; read only"},
      {LatentFormat::diffusers,    "diffusers",     Units::model, false, true,  {}, "a pipeline's output_type=\"latent\" in safetensors, model values, Flux packed"},
      {LatentFormat::diffusers_npy, "diffusers-npy", Units::model, false, true, {}, "a pipeline's output_type=\"latent\" in .npy, model values, Flux packed"},
      {LatentFormat::dgenerate,    "dgenerate",     Units::model, false, false, {}, "dgenerate's safetensors, model values, never packed"},
      {LatentFormat::npy,          "npy",           {},           false, false, {".npy"}, "NumPy's file of one array, units as told"},
  };
}
// clang-format on

/// The numbers of `document` as the format wants them.
std::vector<float> values_for(const LatentDocument& document, const LatentFormatRow& row) {
  const Passport& passport = document.passport;
  std::vector<float> values = document.values;
  if (row.units && *row.units != passport.units) {
    if (*row.units == Units::vae) {
      core::to_vae_units(values, passport.shape, passport.space);
    } else {
      core::to_model_units(values, passport.shape, passport.space);
    }
  }
  const int packing = packing_of(passport.space);
  return row.packs && packing > 1 ? core::packed(values, passport.shape, packing) : values;
}

std::vector<std::int64_t> shape_for(const Passport& passport, const LatentFormatRow& row) {
  const auto [batch, channels, height, width] = passport.shape;
  const int packing = packing_of(passport.space);
  if (!row.packs || packing == 1) return {batch, channels, height, width};
  return {batch, height / packing * (width / packing), channels * packing * packing};
}

/// A format's own metadata out of what a document carries along.
std::map<std::string, std::string> metadata_for(const LatentDocument& document, LatentFormat format) {
  const std::string prefix = metadata_prefix(format);
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : document.extra) {
    if (!prefix.empty() && key.starts_with(prefix)) metadata.emplace(key.substr(prefix.size()), text);
  }
  return metadata;
}

}  // namespace

std::span<const LatentFormatRow> latent_formats() {
  static const std::vector<LatentFormatRow> rows = format_table();
  return rows;
}

const LatentFormatRow& latent_format_row(LatentFormat format) {
  const auto rows = latent_formats();
  return *std::find_if(rows.begin(), rows.end(), [format](const LatentFormatRow& row) { return row.format == format; });
}

const LatentFormatRow& find_latent_format(std::string_view name, std::string_view key) {
  return core::row_named(core::field_name(key), name, latent_formats());
}

void check_can_hold(LatentFormat format, const Passport& passport) {
  const LatentFormatRow& row = latent_format_row(format);
  if (format == LatentFormat::lapis) return;
  if (format == LatentFormat::comfy_old) {
    throw Error(ErrorKind::usage,
                core::marked("the format comfy-old is only read. ComfyUI reads the format comfy: {format} comfy"));
  }
  if (passport.sigma != 0) {
    throw Error(
        ErrorKind::usage,
        core::sentence("the format {} cannot hold a partially denoised latent (sigma {} after {} steps): whoever reads "
                       "it would take the noise for a picture.",
                       row.name, core::number_text(passport.sigma), passport.step),
        core::marked("Finish it first, or keep it in lapis' own format: {format} lapis"));
  }
}

std::vector<std::byte> write_latent(const LatentDocument& document, LatentFormat format) {
  if (format == LatentFormat::lapis) return latent_bytes(document);
  const LatentFormatRow& row = latent_format_row(format);
  check_can_hold(format, document.passport);
  check_latent_shape(document.passport.shape, document.passport.space, "the latent to write");
  const bool npy = format == LatentFormat::npy || format == LatentFormat::diffusers_npy;
  LatentDtype dtype = document.passport.dtype;
  if (npy && dtype == LatentDtype::bf16) dtype = LatentDtype::f32;
  const std::vector<std::byte> numbers = number_bytes(values_for(document, row), dtype);
  const TensorView tensor{tensor_dtype(dtype), shape_for(document.passport, row), numbers};
  if (npy) return npy_bytes(tensor);
  Safetensors content;
  content.metadata = metadata_for(document, format);
  content.tensors[format == LatentFormat::comfy ? comfy_tensor : diffusers_tensor] = tensor;
  if (format == LatentFormat::comfy) content.tensors[comfy_marker] = {Dtype::f32, {0}, {}};
  return safetensors_bytes(content);
}

}  // namespace lapis::io
