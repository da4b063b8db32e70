#include "pipeline/loras.hpp"

#include <filesystem>
#include <optional>

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

/// Adds one after the other.
class Adding {
 public:
  Adding(const LoraRequest& request, const Model& model, Attachments& attachments)
      : request_(request), model_(model), attachments_(attachments) {
    for (const std::string& folder : request.folders) folders_.emplace_back(folder);
    for (const fs::path& folder : lora_places()) folders_.push_back(folder);
  }

  /// `origin` says who names the LoRA.
  void add(const core::LoraCall& call, const std::string& origin, bool in_prompt) {
    if (!parts_) parts_ = io::lora_model(model_);
    const fs::path path = io::find_lora(call.name, folders_, origin);
    const io::AddedLora added = io::add_lora(attachments_, *parts_, path, call.weight, in_prompt);
    const Lora& lora = attachments_.loras.back();
    const auto recorded = request_.recorded.find(lora.name);
    if (recorded != request_.recorded.end() && recorded->second != lora.sha256) {
      throw Error(ErrorKind::usage,
                  core::sentence("{}: {} is not the file that the latent was made with: its sha256 begins {}, expected "
                                 "{}.",
                                 origin, io::printable(path.string()), lora.sha256.substr(0, 12),
                                 recorded->second.substr(0, 12)),
                  core::sentence("Name the right one, or another on purpose: {loras} FILE[:WEIGHT]"));
    }
    for (std::string& note : notes_on(path, added)) warnings_.push_back(std::move(note));
  }

  std::vector<std::string> warnings() { return std::move(warnings_); }

 private:
  const LoraRequest& request_;
  const Model& model_;
  Attachments& attachments_;
  std::vector<fs::path> folders_;
  std::optional<core::LoraModel> parts_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::vector<std::string> add_loras(const LoraRequest& request, const Model& model, Attachments& attachments,
                                   ResolvedJob& job) {
  Adding adding(request, model, attachments);
  job.loras.clear();
  for (const std::string& argument : request.arguments) {
    const core::LoraCall call = core::parse_lora_argument(argument);
    const std::string from = request.latent.empty() ? "" : core::sentence("the job that {} records, ", request.latent);
    adding.add(call, core::sentence("{}{loras} {}", from, io::printable(argument)), false);
    job.loras.push_back(core::lora_argument(attachments.loras.back().name, call.weight.denoiser));
  }
  for (const core::LoraCall& call : request.calls) {
    adding.add(call, core::sentence("the prompt, {}", io::printable(core::lora_tag(call.name, call.weight))), true);
  }
  return adding.warnings();
}

}  // namespace lapis::pipeline
