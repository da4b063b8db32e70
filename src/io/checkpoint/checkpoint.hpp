// Checkpoints that users bring: safetensors files, one or the shards of one, looked at without reading their numbers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "core/checkpoint/weight_scales.hpp"
#include "io/file/safetensors.hpp"
#include "io/model/weight_check.hpp"

namespace lapis::io {

/// Throws Error{input} for a file that is no safetensors file (a pickle, an archive, a GGUF, ...), saying what it is
/// and what to do; `what` is what it was to be: "checkpoint".
void expect_safetensors(const std::filesystem::path& path, const std::string& what);

/// Whether a file is called as a safetensors file is: ".safetensors", in any case of its letters.
bool is_safetensors_name(const std::filesystem::path& path);

/// Files whose tensors belong together, mapped.
class Checkpoint {
 public:
  /// `paths` are files. Throws Error{input} for one that is no safetensors file (a pickle, an archive, a GGUF, ...),
  /// saying what it is and what to do with it, for a damaged one, for a tensor that is in two of them, and for scales
  /// of quantized weights that cannot be applied.
  explicit Checkpoint(std::vector<std::filesystem::path> paths);

  const std::vector<std::filesystem::path>& paths() const { return paths_; }

  /// The metadata of all files; where two have a key, the first one's.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Names and shapes of all tensors but those that tell of others: scales, and notes of how weights are quantized.
  const std::vector<core::TensorShape>& tensors() const { return tensors_; }

  /// Whether any of its weights has a scale.
  bool has_scales() const { return !scales_.weights.empty(); }

  /// The files that hold any of the tensors which `match` needs, or the scales of one, in the order of `paths`.
  std::vector<std::filesystem::path> files_of(const core::GraphMatch& match, const core::KnownGraph& graph) const;

  /// "F16", or "F16 and F32" where the tensors of a part have several; "F8_E4M3 with scales".
  std::string dtypes_of(const core::GraphMatch& match, const core::KnownGraph& graph) const;

  /// "tensor NAME is I8" of the first tensor of a part whose numbers are no weights, neither as they stand nor
  /// by their scales; "" where all are.
  std::string odd_dtype_of(const core::GraphMatch& match, const core::KnownGraph& graph) const;

  /// The sha256 over a line for each tensor of a part: its name without the prefix, its dtype, the sha256 of its bytes.
  /// Scales count.
  std::string digest_of(const core::GraphMatch& match, const core::KnownGraph& graph) const;

  /// The tensors of a part that are not finite: where `whole`, among all of their numbers, which reads them; else among
  /// the first ones of each, which finds the tensors that are NaN all over.
  WeightFaults faults_of(const core::GraphMatch& match, const core::KnownGraph& graph, bool whole) const;

 private:
  struct Place {
    std::size_t file;
    const TensorView* view;
  };

  const Place& place(const std::string& name) const;
  std::vector<std::string> names_of(const core::GraphMatch& match, const core::KnownGraph& graph) const;
  std::vector<std::string> with_scales(std::vector<std::string> names) const;

  std::vector<std::filesystem::path> paths_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, Place> places_;
  std::map<std::string, std::string> metadata_;
  std::vector<core::TensorShape> tensors_;
  core::WeightScales scales_;
};

}  // namespace lapis::io
