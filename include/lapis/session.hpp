// lapis as a library: what the commands of the program do, as functions. Everything here is in the shared library
// `lapis` (docs/library.md); what the other headers of this folder declare is what these functions take and give.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lapis/api.hpp"
#include "lapis/engine.hpp"
#include "lapis/error.hpp"
#include "lapis/events.hpp"
#include "lapis/image.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis {

/// What a session is opened with.
struct SessionOptions {
  /// Device, dtypes and threads of every call; jobs that name their own are refused. Of the models that were used,
  /// `keep_bytes` stay in memory.
  EngineOptions engine = {"auto", "auto", 0, "auto", std::uint64_t{4} << 30};
  Events events;
};

/// One picture as it was drawn.
struct Picture {
  int index = 0;  ///< of the batch
  std::uint64_t seed = 0;
  Image image;
  std::vector<std::byte> png;  ///< the same as a file, which records how it was made: what `lapis generate` writes
};

using OnPicture = std::function<void(const Picture&)>;

/// One question whether a latent fits where it is sent, and the answer.
struct Finding {
  std::string latent;       ///< what is sent: a file, "latents of tiny-sd15"
  std::string destination;  ///< where to
  std::string from;         ///< spaces: "sd15:tiny-sd15"
  std::string to;
  std::string verdict;             ///< "same", "rescale", "repack", "re-encode" or "refuse"
  std::string reason;              ///< one sentence
  std::vector<std::string> steps;  ///< of the way, one line each
  std::string advice;              ///< what to do about a refusal; else empty
};

/// What a job comes to.
struct JobPlan {
  ResolvedJob job;              ///< with every field decided
  std::vector<Finding> routes;  ///< of the latents that it starts from, or hands to a second model
};

/// Models, and the device they run on. The engine (libtorch) is opened by the first call that runs a network; a model
/// is loaded by the first call that needs it and stays within `keep_bytes`, so that the second picture costs its steps
/// alone. Not safe to share between threads, nor to be called from its own callbacks. Several sessions may live in one
/// process; count of threads and flushing of denormal numbers are the process's, and the session whose engine was
/// opened last decides them. Functions throw `Error`, whose texts name fields of a job by their keys, or what the
/// standard library throws where memory or threads run out; after either the session is as usable as before. What a
/// callback throws, of whatever type, ends the call and comes out of it as it was. What functions return is the
/// caller's own, but for `open`.
class LAPIS_API Session {
 public:
  explicit Session(SessionOptions options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  /// Names of all models that are found: in the folders of LAPIS_MODELS, among the user's own, and the bundled ones.
  std::vector<std::string> models();

  /// A model by name or folder, read and checked; it lives as long as the session. Throws Error{usage} where there is
  /// none, Error{model} where its folder is broken.
  const Model& open(const std::string& name);

  /// Decides and checks all that `render` would, reads headers, and loads nothing. Throws what `render` would, as far
  /// as that can be known.
  JobPlan plan(const Job& job);

  /// As `plan`, for the `render` that starts from `latent`.
  JobPlan plan(const Job& job, const LatentDocument& latent);

  /// Draws the pictures of a job; each is handed over as soon as it is there. Returns their latents with a passport:
  /// partially denoised ones where the job has a `stop_at`, and, where `Events::stop` ended it, those of the pictures
  /// before; without one, the shape is all 0. A job's image, mask, latent, LoRAs and embeddings are files. Throws
  /// Error{usage} for what makes no sense, Error{incompatible} for latents that do not go with the model,
  /// Error{numeric} for pictures that are not finite, and else as `ErrorKind` says.
  LatentDocument render(const Job& job, const OnPicture& on_picture);

  /// As `render`, but starts from `latent` instead of noise.
  LatentDocument render(const Job& job, const LatentDocument& latent, const OnPicture& on_picture);

  /// The pictures of a latent, by the VAE it comes from, or that of `model`. Throws Error{incompatible} for a latent
  /// that this VAE would decode to something else than it shows.
  std::vector<Image> decode(const LatentDocument& latent, const std::string& model = "");

  /// The latent of picture files that come to one size, by the VAE of `model`: the mean of what its encoder says, or a
  /// sample where there is a seed.
  LatentDocument encode(const std::vector<std::string>& pictures, const std::string& model,
                        std::optional<std::uint64_t> seed = std::nullopt);

  /// The latent in the space of `to`, a model or a space: by arithmetic where that is exact, else by decoding and
  /// encoding. Throws Error{incompatible} where neither can be done.
  LatentDocument convert(const LatentDocument& latent, const std::string& to);

  /// Whether `things`, latent files and models, go together, or go to `to`, a model or a space. A refusal is an answer
  /// here, and no error.
  std::vector<Finding> check(const std::vector<std::string>& things, const std::string& to = "");

  /// Whether `latent` goes to `to`, a model or a space; without one, to the model that it comes from.
  std::vector<Finding> check_latent(const LatentDocument& latent, const std::string& to = "");

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a latent file that says its space itself: one of lapis (docs/latent-format.md). Throws Error{input}.
LAPIS_API LatentDocument read_latent(const std::string& path);

/// A latent as a file's bytes: the same latent gives the same bytes.
LAPIS_API std::vector<std::byte> latent_bytes(const LatentDocument& latent);

/// A picture as a PNG, with no record of how it was made.
LAPIS_API std::vector<std::byte> png_bytes(const Image& image);

/// Writes a file whole or not at all. Throws Error{output}, also for one that is there unless `overwrite`.
LAPIS_API void write_file(const std::string& path, std::span<const std::byte> bytes, bool overwrite = false);

}  // namespace lapis
