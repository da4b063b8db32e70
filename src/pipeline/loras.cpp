#include "pipeline/loras.hpp"

#include <filesystem>
#include <optional>
#include <utility>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/checkpoint/lora_files.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

std::string names_of(const core::Listing& listing) {
  return core::joined(listing.first) + (listing.count > listing.first.size() ? ", ..." : "");
}

/// What was not taken of a LoRA.
std::vector<std::string> notes_on(const fs::path& path, const io::AddedLora& added) {
  const std::string file = io::printable(path.string(), 500);
  std::vector<std::string> notes;
  for (const auto& [reason, tensors] : added.left_out) {
    notes.push_back(core::sentence("{}: {} {} {}, and left out: {}", file, core::count_text(tensors.count, "tensor"),
                                   tensors.count == 1 ? "is" : "are", core::left_out_text(reason), names_of(tensors)));
  }
  if (added.unknown_settings.count > 0) {
    notes.push_back(core::sentence("{}: its configuration has unknown keys, which are ignored: {}", file,
                                   names_of(added.unknown_settings)));
  }
  return notes;
}

/// Throws for a file that is not the one a latent was made with.
void check_recorded(const LoraRequest& request, const Lora& lora, const fs::path& path, const std::string& origin) {
  const auto recorded = request.recorded.find(lora.name);
  if (recorded == request.recorded.end() || recorded->second == lora.sha256) return;
  throw Error(
      ErrorKind::usage,
      core::sentence("{}: {} is not the file that the latent was made with: its sha256 begins {}, expected {}.", origin,
                     io::printable(path.string()), lora.sha256.substr(0, 12), recorded->second.substr(0, 12)),
      core::sentence("Name the right one, or another on purpose: {loras} FILE[:WEIGHT]"));
}

}  // namespace

std::vector<std::string> add_loras(const LoraRequest& request, const Model& model, Attachments& attachments,
                                   ResolvedJob& job) {
  std::vector<fs::path> folders(request.folders.begin(), request.folders.end());
  for (const fs::path& folder : lora_places()) folders.push_back(folder);
  std::optional<core::LoraModel> parts;
  std::vector<std::string> warnings;
  const auto add = [&](const core::LoraCall& call, const std::string& origin, bool in_prompt) {
    if (!parts) parts = io::lora_model(model);
    const fs::path path = io::find_lora(call.name, folders, origin);
    const io::AddedLora added = io::add_lora(attachments, *parts, path, call.weight, in_prompt);
    check_recorded(request, attachments.loras.back(), path, origin);
    for (std::string& note : notes_on(path, added)) warnings.push_back(std::move(note));
  };
  job.loras.clear();
  const std::string from = request.latent.empty() ? "" : core::sentence("the job that {} records, ", request.latent);
  for (const std::string& argument : request.arguments) {
    const core::LoraCall call = core::parse_lora_argument(argument);
    add(call, core::sentence("{}{loras} {}", from, io::printable(argument)), false);
    job.loras.push_back(core::lora_argument(attachments.loras.back().name, call.weight.denoiser));
  }
  for (const core::LoraCall& call : request.calls) {
    add(call, core::sentence("the prompt, {}", io::printable(core::lora_tag(call.name, call.weight))), true);
  }
  return warnings;
}

}  // namespace lapis::pipeline
