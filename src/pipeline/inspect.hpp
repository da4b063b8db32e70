// What a thing is: a model, a latent or a picture, by what is said of it.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "io/picture/png.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "io/report/inspection_report.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"
#include "pipeline/asked.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"
#include "pipeline/latent_words.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// What is asked of which thing.
struct InspectAsked {
  std::string target;                 ///< name or folder of a model, or a file; "-" is standard input
  std::vector<std::string> pictures;  ///< to measure a model with; the model may stand among them, and one as target
  std::optional<std::string> tokens;  ///< a prompt, whose tokens are asked for
  std::string prompt_syntax;          ///< of that prompt; empty: plain
  std::vector<std::string> embeddings;
  bool verify = false;   ///< files are compared with what is recorded of them
  bool measure = false;  ///< of a model what its VAE does to pictures, of a latent every number
  bool preview = false;  ///< of a latent: what it shows
  HintWords hints;
  ComputeOptions compute;  ///< of the VAE that is measured
};

/// A model's own facts.
struct InspectedModel {
  Model model;
  std::string verified;  ///< what came of comparing files, a sentence; empty where none was asked for
};

/// A prompt as a model reads it.
struct InspectedTokens {
  io::EncodedPrompts prompts;
  PromptSyntax syntax = PromptSyntax::plain;
  std::vector<std::string> warnings;
};

/// What a model's VAE does to pictures.
struct InspectedDrift {
  Model model;
  std::vector<io::Drift> drifts;
};

struct InspectedPicture {
  std::string name;
  std::string format;      ///< "PNG"
  io::PictureTexts facts;  ///< a JPEG's text is the comment in its Exif data, under the key "parameters"
};

struct InspectedLatent {
  io::LatentInspection facts;
  std::vector<Image> preview;  ///< a pixel for each cell; none where none was asked for
};

using Inspected = std::variant<InspectedModel, InspectedTokens, InspectedDrift, InspectedPicture, InspectedLatent>;

/// Looks at a thing; of the engine it opens nothing unless a model is measured. Throws Error{usage} for what is asked
/// of another kind of thing, and else as what reads it.
Inspected inspect(InspectAsked asked, ModelCatalog& catalog, EngineDoor& door, const Events& events);

}  // namespace lapis::pipeline
