// The models that can be found, and what is asked of all of them: which decodes this, which encodes that, whose is it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/tokenizers.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "lapis/space.hpp"

namespace lapis::pipeline {

/// Whose VAE a file holds.
struct VaeOwner {
  std::string name;  ///< for people: "the VAE of model tiny-sdxl"
  Space space;
};

/// Reads model folders: of each sound one the model is read once, however often and by whatever path it is asked for,
/// and stays where it is as long as the catalog lives. A folder that is not sound is read again each time, so that it
/// can be mended meanwhile. Not safe to share between threads.
class ModelCatalog {
 public:
  /// A model by name or folder, read and checked. Throws as `find_model`, `io::read_model` and `core::check_model`.
  const Model& open(const std::string& name);

  /// Tokenizers of models, for all that is done with this catalog.
  io::Tokenizers& tokenizers() { return tokenizers_; }

  /// Every known model, by name; folders that hold no sound model are passed over.
  std::vector<const Model*> all();

  /// The first known model that `matches`, by name; null where none does. Reads no folder behind it.
  const Model* find(const std::function<bool(const Model&)>& matches);

  /// The known model whose VAE a latent comes from: its space and lineage, and its digest where the latent has one.
  /// Null where no such model is known.
  const Model* decoder_of(const Passport& passport);

  /// A known model whose VAE encodes into a space, or at least into its raw values. Null where none is known.
  const Model* encoder_of(const Space& space);

  /// The known model whose VAE decoder has these very weights; null for none.
  const Model* owner_of_weights(const std::filesystem::path& weights);

  /// Who published a file of VAE weights, or which known model has the very same; none where nobody is known. By
  /// the file's SHA-256, which is computed where some known one is of its size.
  std::optional<VaeOwner> vae_owner(const std::filesystem::path& file);

  /// Throws Error{usage} where `path` leads to a file of a model that was read: it is no place for an output.
  void check_no_output(const std::string& path) const;

  /// The space of this id, "ID:LINEAGE", or that of a model of this name or folder. Throws Error{usage} with all there
  /// are and the nearest, where `what` is what said the name; for a model that is not sound as `open`.
  Space space_named(const std::string& name, std::string_view what);

 private:
  const Model& read(const std::filesystem::path& folder);
  const Model* read_sound(const std::filesystem::path& folder);

  std::map<std::filesystem::path, Model> models_;  ///< by folder
  io::Tokenizers tokenizers_;
};

}  // namespace lapis::pipeline
