// Digests of weight files: what model sites know a model by, and how digests that import did not take come to be known.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io/picture/infotext.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// The hashes of a model's weights, of those files whose digests model.json records.
WeightHashes weight_hashes(const Model& model);

/// The files that `weight_hashes` asks for and model.json has no digest of, named as in `Model::files`.
std::vector<std::string> unknown_weight_digests(const Model& model);

/// The digest of a file of the model, named as in `Model::files`; none once `stop` is asked for, which is heeded within
/// some milliseconds. Throws Error{model} where the file cannot be read.
std::optional<std::string> file_digest(const Model& model, const std::string& name, const std::stop_token& stop);

/// Writes digests, by the files' names, into model.json, but for files that have one there or are not the ones that
/// `model` was read with. Throws Error{output} where it cannot be written.
void record_digests(const Model& model, const std::map<std::string, std::string>& digests);

}  // namespace lapis::io
