#include "core/family/known_vaes.hpp"

#include <array>

namespace lapis::core {

std::span<const KnownVae> known_vaes() {
  static const std::array<KnownVae, 6> rows = {{
      {"vae-ft-mse-840000-ema-pruned.safetensors of stabilityai/sd-vae-ft-mse-original", "sd15", 334'641'190,
       "735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75"},
      {"diffusion_pytorch_model.safetensors of stabilityai/sd-vae-ft-mse", "sd15", 334'643'276,
       "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815"},
      {"sdxl_vae.safetensors of stabilityai/sdxl-vae", "sdxl", 334'641'164,
       "63aeecb90ff7bc1c115395962d3e803571385b61938377bc7089b36e81e92e2e"},
      {"sdxl.vae.safetensors of madebyollin/sdxl-vae-fp16-fix", "sdxl", 334'641'162,
       "235745af8d86bf4a4c1b5b4f529868b37019a10f7c0b2e79ad0abca3a22bc6e1"},
      {"ae.safetensors of black-forest-labs/FLUX.1-schnell", "flux", 335'304'388,
       "afc8e28272cd15db3919bacdb6918ce9c1ed22e96cb12c4d5ed0fba823529e38"},
      {"vae/diffusion_pytorch_model.safetensors of black-forest-labs/FLUX.1-schnell", "flux", 167'666'902,
       "f5b59a26851551b67ae1fe58d32e76486e1e812def4696a4bea97f16604d40a3"},
  }};
  return rows;
}

}  // namespace lapis::core
