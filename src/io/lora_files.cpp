#include "io/lora_files.hpp"

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

#include "core/lora_keys.hpp"
#include "core/lora_shapes.hpp"
#include "core/suggest.hpp"
#include "io/checkpoint.hpp"
#include "io/half.hpp"
#include "io/json_reader.hpp"
#include "io/mapped_file.hpp"
#include "io/safetensors.hpp"
#include "io/sha256.hpp"
#include "io/text.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::string_view extension = ".safetensors";
constexpr std::size_t longest_name = 500;

/// Every LoRA below a folder, by the name that calls it.
std::multimap<std::string, fs::path> loras_below(const fs::path& folder) {
  std::multimap<std::string, fs::path> found;
  std::error_code error;
  constexpr auto options =
      fs::directory_options::follow_directory_symlink | fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, options, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry.depth() > 8) entry.disable_recursion_pending();  // a link that leads back to a folder above it
    if (entry->path().extension() == extension) found.emplace(entry->path().stem().string(), entry->path());
  }
  return found;
}

std::string folders_text(std::span<const fs::path> folders) {
  std::string text;
  for (const fs::path& folder : folders) text += (text.empty() ? "" : ", ") + printable(folder.string());
  return text.empty() ? "any folder: none is known" : text;
}

// ---- a model's parameters ----

/// Namings whose tensors have the graph's own names.
bool keeps_names(const Part& part) {
  return part.naming == "diffusers" || part.naming == "clip" || part.naming == "t5";
}

std::vector<core::TensorShape> held_tensors(const Part& part) {
  std::vector<core::TensorShape> tensors;
  for (const fs::path& file : part.weights) {
    const SafetensorsFile weights(file, ErrorKind::model, stray_checkpoint_bytes);
    for (const auto& [name, view] : weights.tensors()) {
      if (name.starts_with(part.prefix) && !view.shape.empty()) {
        tensors.push_back({name.substr(part.prefix.size()), view.shape});
      }
    }
  }
  return tensors;
}

bool holds(const std::map<std::string, std::vector<std::int64_t>>& held, std::span<const core::TensorShape> wanted) {
  return std::ranges::all_of(wanted, [&](const core::TensorShape& tensor) {
    const auto found = held.find(tensor.name);
    return found != held.end() && core::count_of(found->second) == core::count_of(tensor.shape);
  });
}

std::vector<core::TensorShape> parameters_of(const Model& model, const std::string& name, const Part& part,
                                             const KnownGraphs& graphs) {
  std::vector<core::TensorShape> tensors = held_tensors(part);
  if (keeps_names(part)) return tensors;
  std::map<std::string, std::vector<std::int64_t>> held;
  for (const core::TensorShape& tensor : tensors) held.emplace(tensor.name, tensor.shape);
  const core::NamingRow* naming = nullptr;
  for (const core::NamingRow& row : core::namings()) {
    if (row.name == part.naming) naming = &row;
  }
  std::vector<core::TensorShape> largest;
  for (const core::KnownGraph& graph : graphs()) {
    const bool alike =
        name.starts_with(graph.part) && naming != nullptr && core::applies(naming->naming, graph.tensors);
    if (!alike || graph.tensors.size() <= largest.size()) continue;
    if (holds(held, core::checkpoint_tensors(naming->naming, graph.tensors))) largest = graph.tensors;
  }
  if (!largest.empty()) return largest;
  throw Error(ErrorKind::model,
              model.name + ": the weights of its " + name +
                  " fit no graph that is known here, so no LoRA can be added.\nInstall lapis again, or "
                  "import the model again: lapis import");
}

// ---- a LoRA's numbers ----

template <class Number>
Number bits_of(const TensorView& view) {
  Number number{};
  std::memcpy(&number, view.data.data(), sizeof(number));
  return number;
}

/// The one number of an alpha.
double number_of(const TensorView& view, const std::string& what) {
  const bool one = core::count_of(view.shape) == 1;
  double number = std::numeric_limits<double>::quiet_NaN();
  if (one && view.dtype == Dtype::f32) number = bits_of<float>(view);
  if (one && view.dtype == Dtype::f64) number = bits_of<double>(view);
  if (one && view.dtype == Dtype::f16) number = from_f16(bits_of<std::uint16_t>(view));
  if (one && view.dtype == Dtype::bf16) number = from_bf16(bits_of<std::uint16_t>(view));
  if (one && view.dtype == Dtype::i64) number = static_cast<double>(bits_of<std::int64_t>(view));
  if (one && view.dtype == Dtype::i32) number = bits_of<std::int32_t>(view);
  if (std::isfinite(number)) return number;
  throw Error(ErrorKind::input, what + " is " + std::string(dtype_name(view.dtype)) + " " +
                                    core::shape_text(view.shape) + "; an alpha is one finite number" +
                                    ".\nIt is damaged: fetch it again");
}

/// peft's settings, whose keys begin with `part` and a dot where the file is of a pipeline.
std::optional<core::PeftScale> peft_scale(const JsonValue& settings, const std::string& part) {
  const std::string lead = part.empty() ? "" : part + ".";
  const auto key = [&](const char* word) { return lead + word; };
  if (!settings.has(key("r"))) return std::nullopt;
  constexpr double largest = 1e9;
  constexpr double peft_default = 8;
  core::PeftScale scale;
  scale.part = part;
  scale.rank = settings.at(key("r")).integer(1, 1'000'000);
  scale.alpha = settings.has(key("lora_alpha")) ? settings.at(key("lora_alpha")).number(-largest, largest)
                : settings.has(key("alpha"))    ? settings.at(key("alpha")).number(-largest, largest)
                                                : peft_default;
  scale.by_root = settings.has(key("use_rslora")) && settings.at(key("use_rslora")).truth();
  if (settings.has(key("alpha_pattern"))) {
    for (const auto& [module, alpha] : settings.at(key("alpha_pattern")).members()) {
      scale.alphas[module] = alpha.number(-largest, largest);
    }
  }
  return scale;
}

std::vector<core::PeftScale> peft_scales(std::string_view text, const std::string& what) {
  const JsonSource source{what, ErrorKind::input, "It is damaged: fetch it again", 4U << 20U};
  const nlohmann::json document = parse_json(text, source);
  const JsonValue settings(document, source);
  std::vector<core::PeftScale> scales;
  for (const char* part : {"unet", "transformer", "text_encoder", "text_encoder_2", ""}) {
    if (auto scale = peft_scale(settings, part)) scales.push_back(std::move(*scale));
  }
  return scales;
}

std::vector<core::PeftScale> scales_of(const SafetensorsFile& file, const fs::path& path) {
  const auto own = file.metadata().find("lora_adapter_metadata");
  if (own != file.metadata().end()) return peft_scales(own->second, path.string() + ", its lora_adapter_metadata");
  const fs::path beside = path.parent_path() / "adapter_config.json";
  std::error_code ignored;
  if (path.filename() != "adapter_model.safetensors" || !fs::is_regular_file(beside, ignored)) return {};
  const MappedFile config(beside, ErrorKind::input);
  return peft_scales({reinterpret_cast<const char*>(config.bytes().data()), config.bytes().size()}, beside.string());
}

/// The digest of all behind the header, by which model sites know a file whose metadata were edited.
std::string data_digest(std::span<const std::byte> file) {
  std::uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof(header));
  return sha256(file.subspan(sizeof(header) + header));
}

}  // namespace

fs::path find_lora(const std::string& name, std::span<const fs::path> folders, const std::string& flag) {
  std::error_code ignored;
  if (fs::is_regular_file(name, ignored)) return name;
  std::string stem = fs::path(name).filename().string();
  if (stem.ends_with(extension)) stem.resize(stem.size() - extension.size());
  std::vector<std::string> names;
  for (const fs::path& folder : folders) {
    const std::multimap<std::string, fs::path> there = loras_below(folder);
    const auto [first, last] = there.equal_range(stem);
    if (first != last && std::next(first) != last && name.find('/') == std::string::npos) {
      throw Error(ErrorKind::usage, flag + ": " + printable(folder.string()) +
                                        " has two of that name: " + printable(first->second.string()) + " and " +
                                        printable(std::next(first)->second.string()) + ".\nName the file: --lora FILE");
    }
    for (auto each = first; each != last; ++each) {
      fs::path asked = folder / name;
      if (asked.extension() != extension) asked += extension;
      if (name.find('/') == std::string::npos || fs::equivalent(asked, each->second, ignored)) return each->second;
    }
    for (const auto& [known, path] : there) names.push_back(known);
  }
  throw Error(ErrorKind::usage,
              flag + ": there is no file " + in_quotes(name) + ", and no LoRA of that name below " +
                  folders_text(folders) + "." + core::did_you_mean(stem, names) +
                  "\nName the file, as in --lora style.safetensors:0.8, or its folder: --lora-dir DIR");
}

core::LoraModel lora_model(const Model& model, const KnownGraphs& graphs) {
  core::LoraModel parts{model.name, model.family, {}};
  for (const char* name : {"denoiser", "text_encoder", "text_encoder_2"}) {
    const auto part = model.parts.find(name);
    if (part == model.parts.end()) continue;
    const bool bound = !part->second.weights.empty();
    parts.parts.push_back(
        {name, bound ? parameters_of(model, name, part->second, graphs) : std::vector<core::TensorShape>()});
  }
  return parts;
}

core::LoraFile read_lora(const fs::path& path) {
  expect_safetensors(path, "LoRA");
  const SafetensorsFile content(path, ErrorKind::input);
  core::LoraFile file{printable(path.string(), longest_name), {}, {}, scales_of(content, path)};
  for (const auto& [name, view] : content.tensors()) {
    if (printable(name, longest_name) != name) {  // messages name tensors as they are
      throw Error(ErrorKind::input, file.name + ": the tensor name " + in_quotes(name) +
                                        " is too long or has control characters.\nIt is no LoRA, or damaged");
    }
    file.tensors.push_back({name, view.shape});
    const std::optional<core::LoraKey> key = core::read_lora_key(name);
    if (key && key->role == "alpha") file.alphas[name] = number_of(view, file.name + ": tensor " + name);
  }
  return file;
}

AddedLora add_lora(Model& model, const core::LoraModel& parts, const fs::path& path, const core::LoraWeight& weight,
                   bool in_prompt) {
  core::LoraPlan plan = core::plan_lora(read_lora(path), parts, weight);
  const MappedFile file(path, ErrorKind::input);
  // Large files take a second: both digests at once.
  std::future<std::string> data = std::async(std::launch::async, [&] { return data_digest(file.bytes()); });
  std::string whole = sha256(file.bytes());
  Lora lora{path.stem().string(), std::move(whole), data.get(), weight.text_encoder, weight.denoiser, in_prompt};
  for (auto& [part, delta] : plan.deltas) {
    delta.file = path;
    model.parts.at(part).deltas.push_back(std::move(delta));
  }
  model.loras.push_back(std::move(lora));
  return {std::move(plan.unknown)};
}

}  // namespace lapis::io
