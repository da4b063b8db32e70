// From a job to pictures and latents: what `generate` and `refine` are made of. Four values follow one another: what
// was asked, the plan, what was prepared, the result. Each is made of the one before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/latent/latent_file.hpp"
#include "io/model/tokenizers.hpp"
#include "io/report/report.hpp"
#include "lapis/engine.hpp"
#include "lapis/image.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/asked.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/stage.hpp"
#include "pipeline/start_latent.hpp"
#include "pipeline/start_picture.hpp"

namespace lapis::pipeline {

/// What a job was made with when it was recorded.
struct JobRecord {
  std::string name;                        ///< of the file, as messages call it
  std::string document;                    ///< what `io::provenance` wrote; empty where nothing is known
  std::set<std::string> overruled;         ///< keys of the fields that are said on top of it
  std::vector<std::string> left_out = {};  ///< keys of those that are not for the model that is said on top of it
};

/// What is asked.
struct RenderAsked {
  AskedJob asked;
  JobRecord record;                     ///< that the job comes from, where it does
  std::optional<LatentInput> latent;    ///< there where the job names a latent to start from
  std::optional<PictureBytes> picture;  ///< the picture to start from, where it was read already
  bool pictures = true;                 ///< false: latents are all that is wanted
};

/// What will be done, decided from names, headers and rows alone. Models
/// and tokenizers are the catalog's, which must live as long.
struct RenderPlan {
  const Model* model = nullptr;
  io::Tokenizers* tokenizers = nullptr;  ///< the catalog's
  ResolvedJob job;
  bool pictures = true;
  std::vector<int> wanted;                ///< pictures of the batch, counted from 0, rising; empty: all
  std::optional<StartLatentPlan> latent;  ///< where the job starts from a latent
  std::optional<StartPicture> picture;    ///< where it starts from a picture
  std::optional<StagePlan> stage;         ///< a second model that goes on
  std::vector<std::string> embeddings;    ///< files, as asked or as a latent records them
  std::vector<std::string> loras;
  std::vector<std::string> lora_folders;  ///< searched for names of LoRAs before `lora_places`
  JobRecord record;                       ///< that the job comes from, where it does
  double seconds = 0;                     ///< that planning took

  /// The ways that latents take, for a report.
  std::vector<io::Checked> routes() const;
};

/// Plans a job; `random` is its seed where none is asked for. Throws Error{usage} for what makes no sense,
/// Error{incompatible} for a latent or a model that does not go with the others, and as reading headers does.
RenderPlan plan_render(RenderAsked asked, ModelCatalog& catalog, std::uint64_t random);

/// A plan with everything read: files compared with their digests, LoRAs found, prompts in tokens, pictures brought to
/// size.
struct PreparedRender {
  RenderPlan plan;
  RenderRequest request;                       ///< with the embeddings and LoRAs of the job
  std::optional<RenderRequest> stage_request;  ///< of the second model
  std::vector<std::string> notes;              ///< everything that `Events::note` was told of pictures and latents
  std::vector<std::string> warnings;           ///< each once
  io::RunTimings timings;
};

/// Reads what the plan needs. Once nothing but tokens and pixels is left to do, `door` begins to open; null for a dry
/// run. Throws Error{model} for files that are not what was recorded, Error{device} where the picture cannot fit into
/// memory, and as reading LoRAs, embeddings and pictures does.
PreparedRender prepare_render(RenderPlan plan, EngineDoor* door, const Events& events);

/// One picture, and what is recorded of it.
struct DrawnPicture {
  int index = 0;
  std::uint64_t seed = 0;
  Image image;                 ///< empty where latents are all that is wanted
  std::vector<std::byte> png;  ///< the same as a whole file
  PixelSize size;
  std::string device;
  std::string dtype;
  io::Fields fields;               ///< of the job, for a batch of one with the picture's own seed
  std::vector<Transcode> history;  ///< of the latent it was drawn from
  std::vector<std::string> notes;  ///< what was said so far
  std::vector<std::string> warnings;
  io::RunTimings timings;  ///< without writing
};

using DrawnCallback = std::function<void(const DrawnPicture&)>;

/// What is left when all pictures are drawn, or when `Events::stop` ended it.
struct RenderResult {
  RenderEnd end = RenderEnd::finished;
  io::LatentDocument latents;  ///< of the pictures that were drawn, with the job that made them
  io::Fields fields;           ///< of the job
  std::string device;
  std::string dtype;
  std::vector<Transcode> history;
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  io::RunTimings timings;
};

/// Renders; each picture is handed over as soon as it is there. Where a second model goes on, the first draws all of
/// the batch, whichever are wanted. Errors as of `Engine::render`.
RenderResult render(PreparedRender prepared, EngineDoor& door, const Events& events, const DrawnCallback& on_picture);

}  // namespace lapis::pipeline
