#include "io/checkpoint/checkpoint.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/checkpoint/scale_reader.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::size_t glimpse = 256;  ///< numbers of a tensor: within a page or two

[[noreturn]] void refuse(const fs::path& file, const std::string& what, const std::string& advice) {
  throw Error(ErrorKind::input, core::sentence("{} {}.", file.string(), what), advice);
}

/// Whether a zip archive names the pickle that torch.save writes: where its first entries or its directory stand.
bool holds_pickle(std::string_view archive) {
  constexpr std::size_t looked_at = 1U << 20U;
  constexpr std::string_view pickle = "/data.pkl";
  const std::string_view end = archive.substr(archive.size() - std::min(archive.size(), looked_at));
  return archive.substr(0, looked_at).find(pickle) != std::string_view::npos ||
         end.find(pickle) != std::string_view::npos;
}

}  // namespace

bool is_safetensors_name(const fs::path& path) {
  return core::equal_ignoring_case(path.extension().string(), ".safetensors");
}

void expect_safetensors(const fs::path& path, const std::string& what) {
  const MappedFile file(path, ErrorKind::input);
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.empty()) refuse(path, "is empty", "Fetch it again.");
  const std::string_view text = as_chars(bytes);
  // What has a header's brace in its place, the reader of safetensors knows best about, and what is too short to tell.
  if (begins_as_safetensors(bytes) || (text.size() > 8 && text[8] == '{')) return;
  const FileKind* kind = find_file_kind(bytes);
  const bool archive = kind != nullptr && kind->name == "ZIP";
  if (archive && !holds_pickle(text)) {
    refuse(path, core::sentence("is a zip archive, and no {} is in it that PyTorch wrote", what),
           core::sentence("Unpack it, and name the {}'s safetensors files.", what));
  }
  if (begins_as_pickle(bytes) || archive) {
    refuse(path, "is PyTorch's file (.ckpt, .pt), in which a program can hide: lapis does not open it",
           "Turn it into safetensors where you trust it: python -c \"import sys, torch; from safetensors.torch import "
           "save_file; d = torch.load(sys.argv[1], weights_only=True); d = d.get('state_dict', d); save_file({k: "
           "v.contiguous() for k, v in d.items() if hasattr(v, 'shape')}, sys.argv[2])\" IN.ckpt OUT.safetensors");
  }
  if (text.starts_with("GGUF")) {
    refuse(path, "is a GGUF file, whose weights are quantized for other programs",
           core::sentence("Take the {}'s safetensors files.", what));
  }
  if (text.starts_with("version https://git-lfs")) {
    refuse(path, "is a pointer of Git LFS, not the file that it stands for", "Fetch that: git lfs pull");
  }
  if (text.starts_with("<!") || text.starts_with("<html") || text.starts_with("<?xml")) {
    refuse(path, core::sentence("is a web page, not a {}: its address wanted a login, or had an error to show", what),
           "Fetch the file again, and look at its size.");
  }
  if (text.size() < 9) return;
  refuse(path, core::sentence("is no safetensors file: it begins {}", in_quotes(text.substr(0, 8))),
         core::sentence("Take the {}'s safetensors files.", what));
}

Checkpoint::Checkpoint(std::vector<fs::path> paths) : paths_(std::move(paths)) {
  for (const fs::path& path : paths_) {
    expect_safetensors(path, "checkpoint");
    files_.emplace_back(path, ErrorKind::input, stray_checkpoint_bytes);
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    metadata_.insert(files_[i].metadata().begin(), files_[i].metadata().end());
    for (const auto& [name, view] : files_[i].tensors()) {
      const auto [other, is_new] = places_.emplace(name, Place{i, &view});
      if (!is_new) {
        refuse(paths_[i],
               core::sentence("has the tensor {}, and so has {}", in_quotes(name), paths_[other->second.file].string()),
               "Name the files of one checkpoint, each once.");
      }
    }
  }
  std::vector<const TensorFile*> files;
  for (const SafetensorsFile& file : files_) files.push_back(&file);
  scales_ = read_weight_scales(files, paths_, ErrorKind::input);
  for (const auto& [name, place] : places_) {
    if (!scales_.notes.contains(name)) tensors_.push_back({name, place.view->shape});
  }
}

const Checkpoint::Place& Checkpoint::place(const std::string& name) const { return places_.at(name); }

std::vector<std::string> Checkpoint::names_of(const core::GraphMatch& match, const core::KnownGraph& graph) const {
  std::vector<std::string> names;
  for (const core::TensorShape& tensor : core::checkpoint_tensors(match.key_scheme, graph.tensors)) {
    names.push_back(match.prefix + tensor.name);
  }
  return names;
}

std::vector<std::string> Checkpoint::with_scales(std::vector<std::string> names) const {
  const std::size_t count = names.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = scales_.weights.find(names[i]);
    if (found == scales_.weights.end()) continue;
    names.push_back(found->second.scale);
    if (!found->second.factor.empty()) names.push_back(found->second.factor);
  }
  return names;
}

std::vector<fs::path> Checkpoint::files_of(const core::GraphMatch& match, const core::KnownGraph& graph) const {
  std::set<std::size_t> files;
  for (const std::string& name : with_scales(names_of(match, graph))) files.insert(place(name).file);
  std::vector<fs::path> paths;
  for (const std::size_t file : files) paths.push_back(paths_[file]);
  return paths;
}

std::string Checkpoint::dtypes_of(const core::GraphMatch& match, const core::KnownGraph& graph) const {
  std::set<std::string> dtypes;
  for (const std::string& name : names_of(match, graph)) dtypes.emplace(dtype_name(place(name).view->dtype));
  const std::string text = core::joined(std::vector<std::string>(dtypes.begin(), dtypes.end()), " and ");
  const bool scaled =
      std::ranges::any_of(names_of(match, graph), [&](const auto& name) { return scales_.weights.contains(name); });
  return scaled ? core::sentence("{} with scales", text) : text;
}

std::string Checkpoint::odd_dtype_of(const core::GraphMatch& match, const core::KnownGraph& graph) const {
  for (const std::string& name : names_of(match, graph)) {
    const Dtype dtype = place(name).view->dtype;
    const auto scaled = scales_.weights.find(name);
    const bool noted = scaled != scales_.weights.end() && scaled->second.integers;
    if (!noted && !is_weight_dtype(dtype)) return core::sentence("tensor {} is {}", name, dtype_name(dtype));
  }
  return "";
}

std::string Checkpoint::digest_of(const core::GraphMatch& match, const core::KnownGraph& graph) const {
  std::string lines;
  for (const std::string& name : with_scales(names_of(match, graph))) {
    const TensorView& view = *place(name).view;
    lines +=
        name.substr(match.prefix.size()) + " " + std::string(dtype_name(view.dtype)) + " " + sha256(view.data) + "\n";
  }
  return sha256(std::as_bytes(std::span(lines)));
}

WeightFaults Checkpoint::faults_of(const core::GraphMatch& match, const core::KnownGraph& graph, bool whole) const {
  WeightFaults faults;
  for (const SafetensorsFile& file : files_) file.expect_scattered_reads(!whole);
  for (const std::string& name : names_of(match, graph)) {
    const TensorView& view = *place(name).view;
    const auto found = whole ? first_not_finite(view) : first_not_finite(view, glimpse);
    if (found) faults.add(name, *found);
  }
  for (const SafetensorsFile& file : files_) file.expect_scattered_reads(false);
  return faults;
}

}  // namespace lapis::io
