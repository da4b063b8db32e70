// The latents of pictures and of other latents as files.
#pragma once

#include <string>
#include <vector>

#include "io/latent/latent_formats.hpp"
#include "pipeline/convert.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/outputs.hpp"

namespace lapis::pipeline {

/// Where the latents of pictures go.
struct EncodeOutputs {
  std::vector<Output> latents;  ///< one of all pictures, or one of each
  io::LatentFormat format = io::LatentFormat::lapis;

  bool is_one() const { return latents.size() == 1; }
};

/// Names them before any picture is read: `output` is a file, a template or a folder, empty for "{name}.safetensors",
/// or the ending that `format`, the name of one, asks for; empty: the one of lapis. Throws Error{usage} for names that
/// make no sense.
EncodeOutputs name_encode_outputs(const std::string& output, const std::string& format,
                                  const std::vector<std::string>& pictures);

/// Decides which stay, and leaves pictures whose latents do out of the plan; one of which all stay is not for `encode`.
/// Throws as `plan_outputs`.
void plan_encode_outputs(EncodeOutputs& outputs, EncodePlan& plan, const Outlet& outlet, const ModelCatalog& models);

/// Writes a latent of pictures.
Written save(const EncodedPictures& encoded, const EncodePlan& plan, const EncodeOutputs& outputs,
             const Outlet& outlet);

/// What a converted latent of this format is called; where no output is named, "a-tiny-sdxl.safetensors" in this
/// folder.
std::string convert_name(const ConvertWords& words, io::LatentFormat format);

/// Decides where a converted latent goes, by that name. Throws as `plan_outputs`.
Output plan_convert_output(const ConvertWords& words, ConvertPlan& plan, const Outlet& outlet,
                           const ModelCatalog& models);

/// Writes a converted latent.
Written save(const Converted& converted, const ConvertPlan& plan, const Output& output, const Outlet& outlet);

}  // namespace lapis::pipeline
