// A prompt on its way to a text encoder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lapis {

/// Whose brackets a prompt is written in (docs/prompts.md): none, those of AUTOMATIC1111's web UI, or ComfyUI's.
/// Decides how the text is cut into chunks, and how an engine applies the weights.
enum class PromptSyntax { plain, a1111, comfy };

/// A piece of a prompt, padded to its tokenizer's length, as one call of a text encoder reads it.
struct TokenChunk {
  std::vector<std::int64_t> ids;
  std::vector<float> weights;  ///< one for each id; 1 leaves it as it is

  bool operator==(const TokenChunk&) const = default;
};

/// One prompt for one text encoder: chunks that are encoded apart and then joined.
using Tokens = std::vector<TokenChunk>;

/// A textual inversion (Gal et al. 2022, "An Image is Worth One Word"): learnt rows of a text encoder's table of token
/// embeddings, called by a name in the prompt.
struct Embedding {
  std::string name;
  std::string sha256;  ///< of its file
};

/// A LoRA (Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models") or one of its like: small factors
/// whose product is added to a model's weights.
struct Lora {
  std::string name;         ///< of its file, without the extension
  std::string sha256;       ///< of its file
  std::string data_sha256;  ///< of its tensors alone, which the web UI and model sites know it by ("AutoV3")
  double text_encoder = 1;  ///< how much of it counts there
  double denoiser = 1;
  bool in_prompt = false;  ///< called by <lora:...>, not on the command line
};

}  // namespace lapis
