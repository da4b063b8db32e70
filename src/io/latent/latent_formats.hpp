// The formats in which latents lie on disk: lapis' own, and those of other tools, each with its convention.
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

/// The conventions in which tools keep latents in files.
enum class LatentFormat {
  lapis,      ///< docs/latent-format.md
  comfy,      ///< ComfyUI's SaveLatent: tensor "latent_tensor", marker "latent_format_version_0", raw VAE values
  comfy_old,  ///< without the marker: what ComfyUI multiplies by 1/0.18215 at load, so model values of SD1. Read only
  diffusers,  ///< a pipeline's output_type="latent" in safetensors, tensor "latents": model values, Flux packed
  diffusers_npy,  ///< what a pipeline hands over, as .npy. A hint must name it, or such a file is taken for `npy`
  dgenerate,      ///< tensor "latents", model values as diffusers has them, never packed; rank 3 is one picture
  npy  ///< NumPy's format, C order, little-endian, float32 or float16, rank 4, or 3 for one picture; a hint must name
       ///< its units
};

/// A row of the table of formats.
struct LatentFormatRow {
  LatentFormat format;
  std::string name;            ///< "comfy": for the field "format"
  std::optional<Units> units;  ///< what its numbers are; none: the file says it (lapis), or a hint must (npy)
  bool has_space;
  bool packs;                        ///< spaces that diffusers packs are packed in it
  std::vector<std::string> endings;  ///< of file names that ask for it when a latent is written: ".latent"
  std::string description;
};

/// All formats, in the order in which people are shown them.
std::span<const LatentFormatRow> latent_formats();

/// The row of a format.
const LatentFormatRow& latent_format_row(LatentFormat format);

/// The row of this name. Throws as `core::refuse_word` of the field of this key.
const LatentFormatRow& find_latent_format(std::string_view name, std::string_view key = "format");

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

/// A latent out of a file of any format, in `LatentDocument`'s plain layout, its numbers untouched. Other programs'
/// metadata are in `LatentDocument::extra` as "x-FORMAT.KEY", so that they go out again with that format.
/// `write_latent` with this format gives the file back.
struct ForeignLatent {
  LatentDocument document;
  LatentFormat format = LatentFormat::lapis;
  core::Layout layout = core::Layout::plain;  ///< in the file
};

/// Reads a latent of any format. Where a format does not say its space, its units or its size, `hints` must:
/// Error{usage} says which field. A hint that contradicts the file is Error{incompatible}; else it throws as
/// `open_latent_container` and `parse_latent`. No format but lapis' own says how much noise is in it: a latent of
/// another is taken for finished.
ForeignLatent read_latent(std::span<const std::byte> file, const std::string& name, const LatentHints& hints,
                          bool any_number = false);

/// What headers alone say of a latent of any format.
struct ForeignPassport {
  Passport passport;
  LatentFormat format = LatentFormat::lapis;
  core::Layout layout = core::Layout::plain;
};

/// Reads a file as `read_latent` does, without its numbers.
ForeignPassport read_passport(std::span<const std::byte> file, const std::string& name, const LatentHints& hints);

/// Throws Error{usage} where a format cannot hold a latent: a partially denoised one, or any where it is only read.
void check_can_hold(LatentFormat format, const Passport& passport);

/// The bytes of `document` in a format: numbers converted to its units where those differ, packed where it packs, in
/// the passport's dtype (bf16 becomes float32 in .npy, which has no bf16). Throws as `check_can_hold`, else as
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
