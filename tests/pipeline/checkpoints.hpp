// Checkpoints for the tests of imports: files of the bundled models, as they are or changed.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "../folder.hpp"
#include "io/file/safetensors.hpp"
#include "pipeline/import/import_graphs.hpp"

namespace lapis::test {

inline const std::string denoiser_file = "unet/diffusion_pytorch_model.safetensors";
inline const std::string vae_file = "vae/diffusion_pytorch_model.safetensors";
inline const std::string text_encoder_file = "text_encoder/model.safetensors";

/// A file of a bundled model.
inline std::string model_file(const std::string& model, const std::string& file) {
  return (models() / model / file).string();
}

/// Writes a safetensors file of a bundled model to `path`, changed. Returns the path.
inline std::string write_changed(const std::filesystem::path& path, const std::string& file,
                                 const std::function<void(io::Safetensors&)>& change) {
  const io::SafetensorsFile source(file, ErrorKind::input);
  io::Safetensors content{source.tensors(), source.metadata()};
  change(content);
  io::write_safetensors(path, content, false);
  return path.string();
}

/// The graphs of tiny-sd15 for these parts, to be made a model like it.
inline pipeline::GraphSources graph_sources(const std::vector<std::string>& parts) {
  pipeline::GraphSources sources;
  for (const std::string& part : parts) sources.graphs.push_back(model_file("tiny-sd15", "graphs/" + part + ".pt"));
  sources.like = "tiny-sd15";
  return sources;
}

inline const std::vector<std::string> needed_parts = {"text_encoder", "denoiser", "vae_decoder"};

}  // namespace lapis::test
