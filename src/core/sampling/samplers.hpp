// What is known of each sampler. The rows are in core/sampling/sampler_table.hpp, the functions in
// core/sampling/samplers/.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/names.hpp"
#include "lapis/sampling.hpp"

namespace lapis::core {

/// What a text-to-image run on the variance-exploding path begins with, by the habit of the sampler's origin. A flow
/// begins with unit noise.
enum class Start {
  schedule,  ///< unit noise times Schedule::initial_noise as k-diffusion's and diffusers' Euler types take it
  unit       ///< unit noise in variance-preserving units, which is sqrt(sigma^2 + 1) here: DDIM, DPM-Solver, UniPC
};

/// What stands for the sigma that a run of zero terminal SNR begins at, and which is infinite.
enum class Terminal {
  nearly,  ///< the training sigma of abar 2^-24, 4096: diffusers' Euler, DPM-Solver and UniPC
  wholly,  ///< `noise_alone`: diffusers' DDIM, DDPM, LCM and TCD count with abar 0 there
  none     ///< nothing: a slope met further down counts as often as the first sigma is larger than the next
};

/// A sigma at which no bit of a picture is left beside its noise, and a power of 2, so that the noise keeps all of its.
constexpr double noise_alone = 0x1p40;

/// What a sampler remembers of earlier steps.
enum class Remembered {
  answers,       ///< clean values that were predicted there, or slopes
  x_and_answers  ///< x at the last step's beginning, and behind it the answers
};

/// One row per sampler. Its name tells it from the others.
struct SamplerRow {
  std::string name;   ///< on the command line, in model.json and in provenance
  std::string label;  ///< in A1111's text
  int order;          ///< measured without noise: halving the steps' size divides the error by 2^order
  int evaluations;    ///< of the network, each step but the last
  int remembers;      ///< of earlier steps, at most this many arrays as large as a latent
  Remembered remembered;
  bool uses_noise;            ///< draws noise on the way, unless its eta is 0
  std::optional<double> eta;  ///< share of fresh noise unless the job says another; none: it has no such share
  Start start;
  std::string not_on_flow;  ///< why it cannot sample a flow; empty where it can
  Terminal terminal;
  std::string oracle;                ///< whose steps the goldens hold
  std::vector<std::string> aliases;  ///< what A1111, ComfyUI, diffusers and stable-diffusion.cpp call it
};

/// All samplers, in the order in which messages list them.
std::span<const SamplerRow> samplers();

/// A sampler's name, its label and its aliases.
std::vector<std::string> names_of(const SamplerRow& row);

/// The sampler of this name, label or alias, loosely spelt (`loose_name`). Throws as `refuse_word` of `what`.
const SamplerRow& find_sampler(std::string_view name, const std::string& what = field_name("sampler"));

/// Throws Error{usage} where a run of `row` that has done `steps` steps cannot have remembered `count` arrays. None at
/// all is a run that begins at its first step.
void check_memory(const SamplerRow& row, int steps, std::size_t count);

/// Whether a run of the row can begin at noise alone, where a network's answer is a `prediction`.
bool can_begin_at_noise_alone(const SamplerRow& row, Prediction prediction);

/// The names of the samplers that can begin at noise alone.
std::vector<std::string> samplers_from_noise_alone(Prediction prediction);

/// Whether the row samples on `path`.
bool supports(const SamplerRow& row, Path path);

/// The names of the rows that sample on `path`.
std::vector<std::string> samplers_on(Path path);

}  // namespace lapis::core
