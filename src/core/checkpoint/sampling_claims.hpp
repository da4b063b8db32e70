// What a checkpoint says of prediction and schedule: marking tensors and metadata.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/sampling.hpp"

namespace lapis::core {

/// What files say of prediction and betas.
enum class Claim {
  v,            ///< the network predicts v
  epsilon,      ///< the network predicts the noise
  zero_snr,     ///< the betas were rescaled to zero terminal SNR
  plain_betas,  ///< the betas were not rescaled
  edm,          ///< the network was trained with EDM's scaling, which lapis has not
  unknown,      ///< the key tells what is predicted, and its value is not known
  unknown_snr   ///< the key tells whether the SNR ends in zero, and its value is not known
};

/// One thing that a file says.
struct SamplingClaim {
  Claim says;
  std::string by;  ///< "tensor v_pred", "ss_v_parameterization \"True\""
};

/// Whether a tensor of this name is a mark, and no weight (ComfyUI, NoobAI: v_pred, ztsnr; CosXL: edm_vpred.sigma_max).
bool is_sampling_mark(std::string_view tensor);

/// What metadata (modelspec, kohya's ss_ keys, ComfyUI's) and tensors say, in their order.
std::vector<SamplingClaim> sampling_claims(const std::map<std::string, std::string>& metadata,
                                           std::span<const std::string> tensors);

/// What a user says of it, which counts before what files say; "" says nothing.
struct SamplingWish {
  std::string prediction;  ///< of `wished_predictions`
  std::string zero_snr;    ///< of `wished_snrs`
};

/// Throws Error{usage} for a word that is none of those.
void check_words(const SamplingWish& wish);

/// "epsilon" and "v".
std::vector<std::string> wished_predictions();

/// "on" and "off".
std::vector<std::string> wished_snrs();

/// Who says something, for messages.
struct SamplingSpeakers {
  std::string model;      ///< what the network is: "Stable Diffusion XL"
  std::string weights;    ///< the file of the claims
  std::string scheduler;  ///< the file that the facts are of; empty: they are of the architecture
};

/// `facts` with what the claims and the wish say in their place. A schedule that says nothing of its spacing gets
/// trailing where zero terminal SNR comes in, for the others leave its first step out (Lin et al. 2024, section 3.3).
/// Throws Error{input} for claims that contradict each other or the scheduler, unless the wish decides it, and for what
/// lapis has not; Error{usage} for a wish that makes no sense. `notes` get what was taken, and what was overruled.
SamplingFacts claimed_sampling(SamplingFacts facts, std::span<const SamplingClaim> claims, const SamplingWish& wish,
                               const SamplingSpeakers& speakers, std::vector<std::string>& notes);

}  // namespace lapis::core
