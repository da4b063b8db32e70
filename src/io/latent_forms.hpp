// The forms in which latents lie on disk: lapis' own, and those of other tools, each with its convention.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/verdict.hpp"
#include "io/latent_file.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"

namespace lapis::io {

enum class LatentForm {
  lapis,      ///< docs/latent-format.md
  comfy,      ///< ComfyUI's SaveLatent: tensor "latent_tensor", marker "latent_format_version_0", raw VAE values
  comfy_old,  ///< without the marker: what ComfyUI multiplies by 1/0.18215 at load, so model values of SD1. Read only
  diffusers,  ///< a pipeline's output_type="latent", in safetensors (tensor "latents") or .npy: model values, Flux
              ///< packed
  dgenerate,  ///< tensor "latents" without metadata: diffusers' convention, never packed in a file of rank 4
  npy         ///< NumPy's format 1.0 to 3.0, C order, little-endian, rank 3 or 4: units must be told
};

/// One row a form.
struct LatentFormRow {
  LatentForm form;
  std::string name;            ///< "comfy": for --form
  std::optional<Units> units;  ///< what its numbers are; none: must be told
  bool says_space;
  bool packs;                        ///< spaces that diffusers packs are packed in it
  std::vector<std::string> endings;  ///< of file names that ask for it when a latent is written: ".latent"
  std::string description;
};

std::span<const LatentFormRow> latent_forms();
const LatentFormRow& find_latent_form(std::string_view name);

/// What a user says of a file that does not say it itself.
struct ToldFacts {
  std::optional<Space> space;
  std::optional<Units> units;
  std::optional<LatentForm> form;
  std::optional<PixelSize> size;  ///< of the picture: packed tokens do not tell
};

/// A latent out of any form, in `LatentDocument`'s plain layout, its numbers untouched.
struct ForeignLatent {
  LatentDocument document;
  LatentForm form = LatentForm::lapis;
  core::Layout layout = core::Layout::plain;  ///< in the file
};

/// What a file is by its bytes alone: never its space. Throws Error{input} for what is no latent at all (a picture,
/// text, a checkpoint, a pickle), saying what it is and what to do with it.
LatentForm detect_form(std::span<const std::byte> file, const std::string& name);

/// Reads a latent of any form. A form that does not say its space, its units or its size needs them told: Error{usage}
/// says which flag. What is told against what a file says is Error{incompatible}. Else as `parse_latent`.
ForeignLatent read_latent(std::span<const std::byte> file, const std::string& name, const ToldFacts& told,
                          bool any_number = false);

/// As `read_latent`, but only what `check` needs: the passport and the layout, from headers alone.
struct ForeignPassport {
  Passport passport;
  LatentForm form = LatentForm::lapis;
  core::Layout layout = core::Layout::plain;
};
ForeignPassport read_passport(std::span<const std::byte> file, const std::string& name, const ToldFacts& told);

/// The bytes of `document` in a form: numbers converted to its units where those differ, packed where it packs.
/// Error{usage} for a form that cannot hold it (an unfinished latent, a form that is only read).
std::vector<std::byte> write_latent(const LatentDocument& document, LatentForm form);

/// All bytes of a file or, for "-", of standard input. Files are mapped, pipes read to their end, up to `limit` bytes.
/// Throws Error{input}.
class LatentSource {
 public:
  explicit LatentSource(const std::string& path);
  ~LatentSource();
  LatentSource(LatentSource&&) noexcept;
  LatentSource& operator=(LatentSource&&) noexcept;

  std::span<const std::byte> bytes() const;
  const std::string& name() const { return name_; }  ///< "standard input" for "-"

 private:
  struct Content;
  std::string name_;
  std::unique_ptr<Content> content_;
};

}  // namespace lapis::io
