#include "pipeline/job_notes.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

#include "core/latent/latents.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/shortage.hpp"
#include "io/model/model_weights.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

constexpr std::uint64_t worth_a_note = 1'000'000'000;  ///< bytes of memory
/// Half of what tiny-sd15 takes for a pixel, whose networks are smaller than any other's, with its VAE in tiles.
constexpr std::uint64_t least_bytes_a_pixel = 100;

/// Whether a job is drawn in the memory of a GPU, as far as that can be told without libtorch.
bool may_take_gpu(const ResolvedJob& job) {
  std::error_code ignored;
  return job.device == "cuda" || (job.device == "auto" && std::filesystem::exists("/dev/nvidiactl", ignored));
}

}  // namespace

std::vector<std::string> job_notes(const ResolvedJob& job, const Model& model) {
  std::vector<std::string> notes;
  if (core::stripped(job.prompt).empty()) notes.emplace_back("the prompt is empty: nothing guides the picture");
  if (!job.negative_prompt.empty() && cfg_scale(job) <= 1) {
    notes.emplace_back("the negative prompt counts for nothing: guidance is 1 or less");
  }
  if (const auto note = core::size_note(job, model)) notes.push_back(*note);
  return notes;
}

std::vector<std::string> widening_notes(const Model& model, const Engine& engine) {
  const EngineOptions chosen = engine.chosen();
  std::uint64_t files = 0;
  for (const auto& [name, facts] : model.files) files += facts.size;
  if (chosen.device != "cpu" || chosen.dtype != "fp32" || 2 * files < worth_a_note) return {};
  const std::uint64_t widened = io::weight_facts(model).widened;
  if (widened < worth_a_note) return {};
  return {core::sentence("{}: weights in half precision are widened to fp32, which takes {} of memory", model.name,
                         core::bytes_text(widened))};
}

void check_room(const ResolvedJob& job) {
  if (may_take_gpu(job)) return;
  const auto width = static_cast<std::uint64_t>(std::max(job.width, job.hires_width));
  const auto height = static_cast<std::uint64_t>(std::max(job.height, job.hires_height));
  const std::uint64_t needed = width * height * least_bytes_a_pixel;
  const std::optional<std::uint64_t> free = io::free_memory();
  if (!free || needed <= *free) return;
  throw Error(ErrorKind::device,
              core::sentence("too little memory for a picture of {} pixels: it takes at least {}, and {} are free.",
                             core::size_text({static_cast<int>(width), static_cast<int>(height)}),
                             core::bytes_text(needed), core::bytes_text(*free)),
              core::sentence("Make the picture smaller ({-width}, {-height})"));
}

}  // namespace lapis::pipeline
