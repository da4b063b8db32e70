// The pictures of a latent as files.
#pragma once

#include <string>
#include <vector>

#include "pipeline/decode.hpp"
#include "pipeline/outputs.hpp"

namespace lapis::pipeline {

/// What the pictures of a latent are called, one name for each: `output` is a template or a folder, empty for the name
/// of the latent's file, `path`. Throws Error{usage} for a template that makes no sense.
std::vector<std::string> decode_names(const std::string& output, const std::string& path, const DecodePlan& plan);

/// Decides where the pictures of a latent go, by their names. Leaves those that stay out of the plan; one of which all
/// stay is not for `decode`. Throws as `decode_names` and `plan_outputs`.
std::vector<Output> plan_decode_outputs(const std::string& output, const std::string& path, DecodePlan& plan,
                                        const Outlet& outlet, const ModelCatalog& models);

/// Writes a picture as a PNG with the settings that its latent records.
Written save(const DecodedPicture& picture, const DecodePlan& plan, const std::vector<Output>& outputs,
             const Outlet& outlet);

}  // namespace lapis::pipeline
