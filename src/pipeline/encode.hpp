// Pictures into the latents of a model's VAE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/latent/latent_file.hpp"
#include "io/report/report.hpp"
#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/start_picture.hpp"

namespace lapis::pipeline {

/// What is asked.
struct EncodeAsked {
  std::vector<std::string> pictures;  ///< files, "-" for standard input
  Job job;                            ///< model, size, fit, and the seed of a sample; without one the mean is taken
  std::string tiling = "auto";
  bool one_latent = false;  ///< of all pictures, which then must come to one size; else one of each
};

/// A picture to encode, and the job that says how it is brought to size.
struct PictureInput {
  StartPicture picture;
  ResolvedJob job;
  std::size_t index = 0;  ///< among those that were asked for, counted from 0

  PixelSize size() const { return {job.width, job.height}; }
};

/// Reads the picture `file`, which comes to the size that `job` says. Throws as `read_start_picture` and
/// `core::resolve`.
PictureInput read_picture(Job job, const std::string& file, const Model& model);

/// What will be done, decided from headers. Pictures that get latents of their own may be left out. The model is the
/// catalog's, which must live as long.
struct EncodePlan {
  const Model* model = nullptr;
  std::vector<PictureInput> pictures;
  std::optional<std::uint64_t> seed;
  std::string tiling;
  bool one_latent = false;
  double seconds = 0;  ///< that planning took, for reports
};

/// Plans it. Throws Error{usage} for pictures of different sizes that are to share a latent, Error{input} for files
/// that are no pictures, and as finding models does.
EncodePlan plan_encode(const EncodeAsked& asked, ModelCatalog& catalog);

/// One latent, and what is recorded of it.
struct EncodedPictures {
  std::size_t first = 0;  ///< the picture that it begins with, counted from 0
  io::LatentDocument document;
  std::vector<std::string> pictures;  ///< digests of their files
  PixelSize size;
  std::vector<std::string> notes;
  io::RunTimings timings;  ///< of all that was encoded so far, without writing
};

using EncodedCallback = std::function<void(const EncodedPictures&)>;

/// Encodes; each latent is handed over as soon as it is there. Errors as of `io::verify_parts` and `Engine::encode`.
void encode(const EncodePlan& plan, EngineDoor& door, const Events& events, const EncodedCallback& on_latent);

}  // namespace lapis::pipeline
