#include "io/latent/latent_container.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/checkpoint/known_relatives.hpp"
#include "core/checkpoint/lora_shapes.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/text.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/latent/latent_numbers.hpp"
#include "io/latent/npy.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what, const std::string& advice) {
  throw Error(ErrorKind::input, core::sentence("{} {}.", name, what), advice);
}

/// The name of a ZIP archive's first file.
std::string_view first_entry(std::string_view zip) {
  constexpr std::size_t length_at = 26;
  constexpr std::size_t name_at = 30;
  if (zip.size() < name_at) return {};
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(zip[at])); };
  return zip.substr(name_at, byte(length_at) + 256 * byte(length_at + 1));
}

[[noreturn]] void refuse_archive(std::string_view zip, const std::string& name) {
  const std::string_view entry = first_entry(zip);
  if (entry.ends_with(".npy")) {
    refuse(name, "is NumPy's archive of arrays (.npz), not one latent",
           "Save one array as .npy: numpy.save(file, array)");
  }
  if (entry.find(".pkl") != std::string_view::npos || entry.find("/data/") != std::string_view::npos) {
    refuse(name, "is PyTorch's file (.pt, .ckpt), in which a program can hide: lapis does not open it as a latent",
           "Save the tensor as safetensors: safetensors.torch.save_file({\"latents\": tensor}, \"a.safetensors\")");
  }
  refuse(name, "is a ZIP archive, not a latent", "Unpack it first, or give the file that it was meant to be.");
}

/// Whether the beginning of a file is text that people can read.
bool is_readable(std::string_view file) {
  constexpr std::size_t looked_at = 512;
  std::string_view head = file.substr(0, looked_at);
  const std::size_t bad = core::first_bad_utf8(head).value_or(head.size());
  if (bad + 4 < head.size() || bad == 0) return false;  // the last character may be cut in two
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
}

/// Says what a file is that is neither safetensors nor .npy.
[[noreturn]] void refuse_other(std::span<const std::byte> bytes, const std::string& name) {
  const std::string_view file = as_chars(bytes);
  if (file.empty()) refuse(name, "is empty; a latent is needed here", latent_advice(name));
  if (const FileKind* kind = find_file_kind(bytes)) {
    if (kind->name == "ZIP") refuse_archive(file, name);
    const std::string what = core::sentence("is a {} {}, not a latent", kind->name, kind->picture ? "picture" : "file");
    if (kind->readable) {
      refuse(name, what, core::sentence("Encode it first: {lapis encode} {} {-model} MODEL", printable(name)));
    }
    if (kind->picture) {
      refuse(name, what, core::marked("Save it as PNG, and encode that: {lapis encode} PICTURE.png {-model} MODEL"));
    }
    refuse(name, what, core::marked("Give a latent: {lapis generate} ... {latent} FILE writes one."));
  }
  if (begins_as_pickle(bytes)) {
    refuse(name, "is a Python pickle, in which a program can hide: lapis does not open it",
           "Save the tensor as safetensors: safetensors.torch.save_file({\"latents\": tensor}, \"a.safetensors\")");
  }
  if (file.starts_with("GGUF")) {
    refuse(name, "is a model's weights (GGUF), not a latent",
           core::marked("Give a latent; models are folders, for {-model}."));
  }
  if (is_readable(file)) {
    const std::size_t begin = file.find_first_not_of(" \r\n\t");
    const bool json = begin != std::string_view::npos && (file[begin] == '{' || file[begin] == '[');
    refuse(name,
           core::sentence("is {}, not a latent: it begins {}", json ? "JSON" : "text", in_quotes(file.substr(0, 20))),
           core::marked("Give a latent: {lapis generate} ... {latent} FILE writes one."));
  }
  refuse(name,
         core::sentence("is no latent: it has {} and begins {}", core::count_text(file.size(), "byte"),
                        in_quotes(file.substr(0, 8))),
         name == standard_input ? latent_advice(name)
                                : "Latents are safetensors files of lapis, ComfyUI, diffusers or dgenerate, or .npy.");
}

/// The tensors' names in quotes, of more than three the first ones.
std::string names_of(const Safetensors& content) {
  std::vector<std::string> names;
  for (const auto& [tensor, view] : content.tensors) {
    if (names.size() == 3) return core::sentence("{} ...", core::joined(names));
    names.push_back(in_quotes(tensor));
  }
  return core::joined(names);
}

[[noreturn]] void refuse_tensors(const Safetensors& content, const std::string& name) {
  if (content.tensors.empty()) refuse(name, "holds no tensor", latent_advice(name));
  std::vector<core::TensorShape> tensors;
  for (const auto& [tensor, view] : content.tensors) tensors.push_back({tensor, view.shape});
  if (const core::Relative* relative = core::find_relative(tensors)) {
    refuse(name, core::sentence("is {}, not a latent", relative->title), core::advice_for(*relative, printable(name)));
  }
  if (content.tensors.contains(lapis_tensor)) {
    refuse(name, "has a tensor \"latent\" and no passport: the metadata \"format\" of a latent of lapis are missing",
           core::marked("If diffusers' numbers are in it, save them as {\"latents\": tensor} and name their {space}."));
  }
  if (content.tensors.size() == 1) {
    refuse(name,
           core::sentence("has one tensor, {}, and latents are called \"latent\" (lapis), \"latents\" (diffusers) or "
                          "\"latent_tensor\" (ComfyUI)",
                          names_of(content)),
           "If it is a latent of diffusers, save it as {\"latents\": tensor}.");
  }
  refuse(name,
         core::sentence("is a model's weights, not a latent: {}, {}",
                        core::count_text(content.tensors.size(), "tensor"), names_of(content)),
         core::marked("Give a latent; {lapis import} tells what weights are, and makes models of them."));
}

/// Any tensor beside those of the format would be lost on the way out.
void expect_count(const Safetensors& content, std::size_t count, const std::string& name) {
  if (content.tensors.size() == count) return;
  refuse(name,
         core::sentence("has {}, {}; a latent of this format has {}",
                        core::count_text(content.tensors.size(), "tensor"), names_of(content), count),
         "Save the latent alone.");
}

LatentContainer open_safetensors(std::span<const std::byte> file, const std::string& name) {
  Safetensors content = parse_latent_container(file, name);
  if (const auto format = content.metadata.find("format");
      format != content.metadata.end() && format->second.starts_with("lapis.latent.")) {
    return {};
  }
  LatentContainer container;
  if (const auto comfy = content.tensors.find(comfy_tensor); comfy != content.tensors.end()) {
    const auto marker = content.tensors.find(comfy_marker);
    const bool marked = marker != content.tensors.end();
    expect_count(content, marked ? 2 : 1, name);
    if (marked && !marker->second.data.empty()) {
      refuse(name,
             core::sentence("holds numbers in \"{}\", which ComfyUI leaves empty: they would be lost", comfy_marker),
             "Save the latent again with ComfyUI, or without them.");
    }
    container.format = marked ? LatentFormat::comfy : LatentFormat::comfy_old;
    container.tensor = comfy->second;
  } else if (const auto latents = content.tensors.find(diffusers_tensor); latents != content.tensors.end()) {
    expect_count(content, 1, name);
    container.format = LatentFormat::diffusers;
    container.tensor = latents->second;
  } else {
    refuse_tensors(content, name);
  }
  container.metadata = std::move(content.metadata);
  return container;
}

/// [batch, channels, frames, height, width], as the programs for videos hand latents over.
[[noreturn]] void refuse_video(const std::vector<std::int64_t>& shape, const std::string& name) {
  refuse(name,
         core::sentence("holds latents of a video, {}: {} of {} channels", core::shape_text(shape),
                        core::count_text(static_cast<std::uint64_t>(shape[2]), "frame"), shape[1]),
         "lapis makes pictures, and knows no space of videos. Decode it with the program that made it.");
}

}  // namespace

std::string metadata_prefix(LatentFormat format) {
  switch (format) {
    case LatentFormat::comfy:
    case LatentFormat::comfy_old: return std::string(foreign_prefix) + "comfy.";
    case LatentFormat::diffusers:
    case LatentFormat::dgenerate: return std::string(foreign_prefix) + "diffusers.";
    case LatentFormat::lapis:
    case LatentFormat::diffusers_npy:
    case LatentFormat::npy: break;
  }
  return "";
}

LatentContainer open_latent_container(std::span<const std::byte> file, const std::string& name) {
  LatentContainer container;
  if (begins_as_npy(file)) {
    container = {LatentFormat::npy, parse_npy(file, name), {}};
  } else if (begins_as_safetensors(file)) {
    container = open_safetensors(file, name);
  } else {
    refuse_other(file, name);
  }
  if (container.tensor.shape.size() == 5) refuse_video(container.tensor.shape, name);
  return container;
}

}  // namespace lapis::io
