// The forms in which latents lie on disk: lapis' own, and those of other tools, each with its convention.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/latent/units.hpp"
#include "io/file/mapped_file.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"

namespace lapis::io {

enum class LatentFormat {
  lapis,      ///< docs/latent-format.md
  comfy,      ///< ComfyUI's SaveLatent: tensor "latent_tensor", marker "latent_format_version_0", raw VAE values
  comfy_old,  ///< without the marker: what ComfyUI multiplies by 1/0.18215 at load, so model values of SD1. Read only
  diffusers,  ///< a pipeline's output_type="latent" in safetensors, tensor "latents": model values, Flux packed
  diffusers_npy,  ///< what a pipeline hands over, as .npy. It must be told, or such a file is taken for `npy`
  dgenerate,      ///< tensor "latents", model values as diffusers has them, never packed; rank 3 is one picture
  npy  ///< NumPy's format, C order, little-endian, float32 or float16, rank 4, or 3 for one picture: units must be told
};

/// A row of the table of forms.
struct LatentFormatRow {
  LatentFormat format;
  std::string name;            ///< "comfy": for the field "format"
  std::optional<Units> units;  ///< what its numbers are; none: the file says it (lapis), or it must be told (npy)
  bool has_space;
  bool packs;                        ///< spaces that diffusers packs are packed in it
  std::vector<std::string> endings;  ///< of file names that ask for it when a latent is written: ".latent"
  std::string description;
};

std::span<const LatentFormatRow> latent_formats();

/// The row of a form, or of a form's name. Throws Error{usage} with the names there are and the nearest.
const LatentFormatRow& latent_format_row(LatentFormat format);
const LatentFormatRow& find_latent_format(std::string_view name);

/// What a request calls its hints, for messages: "units" of one is "in_units" of another.
struct HintKeys {
  std::string space = "space";
  std::string units = "units";
  std::string format = "format";
  std::string size = "size";
};

/// What a user says of a file that does not say it itself.
struct LatentHints {
  std::optional<Space> space;
  std::optional<Units> units;
  std::optional<LatentFormat> format;
  std::optional<PixelSize> size;  ///< of the picture: packed tokens do not tell
  HintKeys keys = {};
};

/// A latent out of any form, in `LatentDocument`'s plain layout, its numbers untouched. Other programs' metadata are in
/// `LatentDocument::extra` as "x-FORM.KEY", so that they go out again with that form. `write_latent` with this form
/// gives the file back.
struct ForeignLatent {
  LatentDocument document;
  LatentFormat format = LatentFormat::lapis;
  core::Layout layout = core::Layout::plain;  ///< in the file
};

/// What a file is by its bytes alone: never its space. Throws Error{input} for what is no latent at all (nothing, a
/// picture, text, a checkpoint, a pickle), saying what it is and what to do with it.
LatentFormat detect_form(std::span<const std::byte> file, const std::string& name);

/// Reads a latent of any form. A form that does not say its space, its units or its size needs them told: Error{usage}
/// says which field. What is told against what a file says is Error{incompatible}. Else as `parse_latent`. No form but
/// lapis' own says how much noise is in it: it is taken for finished.
ForeignLatent read_latent(std::span<const std::byte> file, const std::string& name, const LatentHints& hints,
                          bool any_number = false);

/// What headers alone tell of a latent of any form.
struct ForeignPassport {
  Passport passport;
  LatentFormat format = LatentFormat::lapis;
  core::Layout layout = core::Layout::plain;
};

/// Reads a file as `read_latent` does, without its numbers.
ForeignPassport read_passport(std::span<const std::byte> file, const std::string& name, const LatentHints& hints);

/// Throws Error{usage} for a form that cannot hold a latent: a partially denoised one, a form that is only read.
void check_format(LatentFormat format, const Passport& passport);

/// The bytes of `document` in a form: numbers converted to its units where those differ, packed where it packs, in the
/// passport's dtype (bf16 becomes float32 in .npy, which has no bf16). Throws as `check_format`, else as
/// `latent_bytes`.
std::vector<std::byte> write_latent(const LatentDocument& document, LatentFormat format);

/// All bytes of a file or, for "-", of standard input. Files are mapped; pipes are read to their end, or until it is
/// plain that no latent comes out of them, nor a picture where `or_picture`. Throws Error{input} where it cannot be
/// read, or where a pipe brings more than `limit` bytes.
class LatentSource {
 public:
  static constexpr std::size_t largest_pipe = 4'100'000'000;  ///< as many numbers as a latent may have, in f32

  explicit LatentSource(const std::string& path, std::size_t limit = largest_pipe, bool or_picture = false);

  std::span<const std::byte> bytes() const { return file_ ? file_->bytes() : std::span<const std::byte>(piped_); }
  const std::string& name() const { return name_; }  ///< "standard input" for "-"

 private:
  std::string name_;
  std::optional<MappedFile> file_;
  std::vector<std::byte> piped_;
};

}  // namespace lapis::io
