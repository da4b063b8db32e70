// The text in which AUTOMATIC1111's web UI keeps a picture's settings, read by every gallery and model site.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/job/job_fields.hpp"
#include "lapis/attachments.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"
#include "lapis/prompt.hpp"

namespace lapis::io {

/// What the text holds: the prompts, and the settings in their order ("Steps" -> "20").
struct Infotext {
  std::string prompt;
  std::string negative_prompt;
  std::vector<std::pair<std::string, std::string>> settings;

  bool operator==(const Infotext&) const = default;
};

/// What model sites know weights by: "AutoV2", the first 10 hex digits of the sha256 of a safetensors file.
struct WeightHashes {
  std::string model;  ///< of the file with the denoiser's weights; empty where it is not known, or they are in several
  std::string vae;    ///< of a file that holds the VAE apart from the denoiser
};

/// The settings of a picture, keyed as in the `a1111` column of the job-field table and in the web UI's order ("Steps"
/// first), with where the noise came from ("RNG: CPU"); `version`, the name and version of the program, ends them. A
/// guidance that the denoiser reads as a number is Forge's "Distilled CFG Scale".
Infotext infotext_of(const ResolvedJob& job, const Model& model, const Attachments& attachments,
                     const WeightHashes& hashes, const std::string& version);

/// The settings out of a picture's decided fields, as provenance records them, the embeddings its prompts call, the
/// LoRAs it was drawn with, and the hashes of its model; LoRAs that the prompt does not call stand behind it, so that
/// the web UI finds them there. Fields and names that this program does not know are left out or stay as they are:
/// another version may have recorded them.
Infotext infotext_of(std::span<const std::pair<std::string, core::FieldValue>> fields,
                     std::span<const Embedding> embeddings, std::span<const Lora> loras, const WeightHashes& hashes,
                     const std::string& version);

/// The text (create_infotext of modules/processing.py): the prompt, then, where there is one, a line "Negative prompt:
/// ...", then one line "Key: value, Key: value". A value with a comma, a colon, a line break or an outer quote is a
/// JSON string. UTF-8, no line break at the end.
std::string write_infotext(const Infotext& infotext);

/// Reads such a text as parse_generation_parameters of modules/infotext_utils.py does: the last line holds the settings
/// if it has at least three; lines from "Negative prompt:" on are the negative prompt; blanks around lines are lost.
/// Any text at all is read; what is no setting is prompt. In keys, every character beyond ASCII passes for a letter.
Infotext parse_infotext(std::string_view text);

/// One line that says why the text will not give `infotext` back to a reader, or none where it will: a prompt with a
/// line that begins "Negative prompt:", with blanks around a line, or whose end reads as settings.
std::optional<std::string> infotext_warning(const Infotext& infotext);

}  // namespace lapis::io
