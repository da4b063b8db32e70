#include "io/checkpoint/lora_files.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <future>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/checkpoint/lora_keys.hpp"
#include "core/checkpoint/lora_shapes.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/checkpoint/checkpoint.hpp"
#include "io/checkpoint/peft_reader.hpp"
#include "io/checkpoint/scale_reader.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/sha256.hpp"
#include "io/file/tensor_numbers.hpp"
#include "io/file/text.hpp"
#include "io/graph/graph_archive.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::size_t longest_name = 500;
constexpr const char* peft_file = "adapter_model.safetensors";  ///< in a folder that peft's save_pretrained made

/// Every LoRA below a folder, by the name that calls it; one that links lead to as well counts once.
std::multimap<std::string, fs::path> loras_below(const fs::path& folder) {
  std::multimap<std::string, fs::path> found;
  std::set<std::pair<std::string, fs::path>> seen;  // a name, and the file itself
  std::error_code error;
  constexpr auto options =
      fs::directory_options::follow_directory_symlink | fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, options, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry.depth() > 8) entry.disable_recursion_pending();  // a link that leads back to a folder above it
    if (!is_safetensors_name(entry->path())) continue;
    const std::string name = entry->path().stem().string();
    std::error_code broken;  // a link that leads nowhere is nobody's LoRA
    const fs::path itself = fs::canonical(entry->path(), broken);
    if (!broken && seen.emplace(name, itself).second) found.emplace(name, entry->path());
  }
  return found;
}

std::string folders_text(std::span<const fs::path> folders) {
  if (folders.empty()) return "any folder: none is known";
  std::vector<std::string> names;
  for (const fs::path& folder : folders) names.push_back(printable(folder.string()));
  return core::joined(names);
}

/// The one number of an alpha.
double number_of(const TensorView& view, const std::string& what) {
  const std::optional<double> number = single_number(view);
  if (number && std::isfinite(*number)) return *number;
  const std::string found =
      number ? "NaN or infinity" : core::sentence("{} {}", dtype_name(view.dtype), core::shape_text(view.shape));
  throw Error(ErrorKind::input, core::sentence("{} is {}; an alpha is one finite number.", what, found),
              "It was written wrongly: take another export of it");
}

/// A file whose factors have scales has them for all that are in fp8: half of them would be a strength by chance.
void check_scaled(const core::LoraKey& key, const TensorView& view, const std::string& what) {
  if (key.role == "alpha" || !dtype_name(view.dtype).starts_with("F8_")) return;
  throw Error(ErrorKind::input,
              core::sentence("{} is in fp8, and its scale is not there, as those of others are.", what),
              "It was written wrongly: take another export of it");
}

PeftSettings settings_of(const SafetensorsFile& file, const fs::path& path) {
  const std::string name = printable(path.string(), longest_name);
  const auto own = file.metadata().find("lora_adapter_metadata");
  if (own != file.metadata().end()) {
    return read_peft_settings(own->second, core::sentence("{}, its lora_adapter_metadata", name));
  }
  const fs::path beside = lora_config(path);
  if (beside.empty()) return {};
  const MappedFile config(beside, ErrorKind::input);
  return read_peft_settings(as_chars(config.bytes()), printable(beside.string(), longest_name));
}

/// The digest of all behind the header, by which model sites know a file whose metadata were edited.
std::string data_digest(std::span<const std::byte> file) {
  std::uint64_t header = 0;
  if (file.size() >= sizeof(header)) std::memcpy(&header, file.data(), sizeof(header));
  const std::uint64_t data = std::min<std::uint64_t>(file.size(), header + sizeof(header));
  return sha256(file.subspan(data));
}

}  // namespace

fs::path lora_config(const fs::path& path) {
  fs::path beside = path.parent_path() / "adapter_config.json";
  return path.filename() == peft_file && is_file(beside) ? beside : fs::path();
}

fs::path find_lora(const std::string& name, std::span<const fs::path> folders, const std::string& flag) {
  std::error_code ignored;
  if (is_file(name)) return name;
  if (const fs::path own = fs::path(name) / peft_file; is_file(own)) return own;
  const bool ended = is_safetensors_name(name);
  const std::string stem = (ended ? fs::path(name).stem() : fs::path(name).filename()).string();
  std::vector<std::string> names;
  for (const fs::path& folder : folders) {
    const std::multimap<std::string, fs::path> there = loras_below(folder);
    const auto [first, last] = there.equal_range(stem);
    if (first != last && std::next(first) != last && name.find('/') == std::string::npos) {
      throw Error(ErrorKind::usage,
                  core::sentence("{}: {} has two of that name: {} and {}.", flag, printable(folder.string()),
                                 printable(first->second.string()), printable(std::next(first)->second.string())),
                  core::marked("Name the file: {loras} FILE"));
    }
    for (auto each = first; each != last; ++each) {
      fs::path asked = folder / name;
      if (!ended) asked += each->second.extension();
      if (name.find('/') == std::string::npos || fs::equivalent(asked, each->second, ignored)) return each->second;
    }
    for (const auto& [known, path] : there) names.push_back(known);
  }
  throw Error(ErrorKind::usage,
              core::sentence("{}: there is no file {}, and no LoRA of that name below {}.{}", flag, in_quotes(name),
                             folders_text(folders), core::did_you_mean(stem, names)),
              core::marked("Name the file, as in {loras} style.safetensors:0.8, or its folder: {lora_dirs} DIR"));
}

core::LoraModel lora_model(const Model& model) {
  core::LoraModel parts{model.name, model.family, {}};
  for (const PartKind kind : {PartKind::denoiser, PartKind::text_encoder, PartKind::text_encoder_2}) {
    const Part* part = find_part(model, kind);
    if (part == nullptr) continue;
    const bool bound = !part->weights.empty();
    parts.parts.push_back(
        {std::string(row_of(kind).name), bound ? graph_parameters(part->graph) : std::vector<core::TensorShape>()});
  }
  return parts;
}

ReadLora read_lora(const fs::path& path) {
  expect_safetensors(path, "LoRA");
  const SafetensorsFile content(path, ErrorKind::input);
  PeftSettings settings = settings_of(content, path);
  ReadLora read{{printable(path.string(), longest_name), {}, {}, std::move(settings.scales)},
                std::move(settings.unknown)};
  core::LoraFile& file = read.file;
  const TensorFile* const tensors = &content;
  const core::WeightScales scales = read_weight_scales({&tensors, 1}, {&path, 1}, ErrorKind::input);
  for (const auto& [name, view] : content.tensors()) {
    if (printable(name, longest_name) != name) {  // messages name tensors as they are
      throw Error(
          ErrorKind::input,
          core::sentence("{}: the tensor name {} is too long or has control characters.", file.name, in_quotes(name)),
          "It is no LoRA, or damaged");
    }
    if (scales.notes.contains(name)) continue;
    file.tensors.push_back({name, view.shape});
    const std::optional<core::LoraKey> key = core::read_lora_key(name);
    if (!key) continue;
    const std::string what = core::sentence("{}: tensor {}", file.name, name);
    const auto scale = scales.weights.find(name);
    const bool scaled = scale != scales.weights.end();
    if (!scaled && !scales.weights.empty()) check_scaled(*key, view, what);
    if (key->role != "alpha") continue;
    file.alphas[name] = number_of(view, what);
    if (!scaled) continue;
    const auto find = [&](const std::string& each) -> const TensorView& { return *content.find(each); };
    file.alphas[name] *= scale_numbers(scale->second, find).front();
  }
  return read;
}

AddedLora add_lora(Attachments& attachments, const core::LoraModel& model, const fs::path& path,
                   const core::LoraWeight& weight, bool in_prompt) {
  ReadLora read = read_lora(path);
  core::LoraPlan plan = core::plan_lora(read.file, model, weight);
  const MappedFile file(path, ErrorKind::input);
  // Large files take a second: both digests at once.
  std::future<std::string> data = std::async(std::launch::async, [&] { return data_digest(file.bytes()); });
  std::string whole = sha256(file.bytes());
  Lora lora{path.stem().string(), std::move(whole), data.get(), weight.text_encoder, weight.denoiser, in_prompt};
  for (auto& [part, delta] : plan.deltas) {
    delta.file = path;
    delta.sha256 = lora.sha256;
    attachments.parts[find_part_kind(part).value()].deltas.push_back(std::move(delta));
  }
  attachments.loras.push_back(std::move(lora));
  return {std::move(plan.left_out), std::move(read.unknown_settings)};
}

}  // namespace lapis::io
