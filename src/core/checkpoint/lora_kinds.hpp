// What a file of factors is, by its names and shapes alone: kinds that no model can be given, and what a LoRA is for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/checkpoint/checkpoint_names.hpp"

namespace lapis::core {

/// The kind of a file that has such a tensor, and the tensor.
struct ForeignLora {
  std::string title;
  std::string tensor;
};

/// Of what kind that lapis does not apply a file is; none where it is of none. Names decide, but for one: OFT's and
/// BOFT's blocks are called alike in LyCORIS, and a BOFT's have four dimensions.
std::optional<ForeignLora> foreign_lora(std::span<const TensorShape> tensors);

/// What is called `peft_type` in peft's configuration, as people call it: "VeRA" of "VERA". "" for the types that lapis
/// applies: LORA, LOHA, LOKR.
std::string foreign_peft_type(std::string_view peft_type);

/// A file's LoRA of the denoiser's first layer that reads more than the published architectures do: of a control LoRA,
/// which wants a second picture beside the latent, or for another model.
struct ControlLayer {
  std::string module;
  std::int64_t reads = 0;
  std::int64_t usual = 0;  ///< of Flux (numbers a patch), of a UNet (channels)
  std::int64_t rows = 0;   ///< what it makes of them
  bool published = false;  ///< as many as the architecture does
};

/// The layer that shows a file to be a control LoRA, or one for another model; none where no layer does.
std::optional<ControlLayer> control_layer(std::span<const TensorShape> tensors);

/// What characteristic names and shapes say a LoRA is for: "Stable Diffusion XL", "FLUX.1", ...; "" where nothing
/// tells.
std::string lora_title(std::span<const TensorShape> tensors);

}  // namespace lapis::core
