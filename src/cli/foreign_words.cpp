#include "cli/foreign_words.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace lapis::cli {
namespace {

constexpr std::string_view no_note = "";
constexpr std::string_view both_sides = "A size has two sides";
constexpr std::string_view import_first = "A checkpoint becomes a model once, which links to its files";
constexpr std::string_view no_network = "lapis opens no network; import what is on disk";
constexpr std::string_view by_itself = "This is automatic: parts leave memory as soon as they have done their work";
constexpr std::string_view no_more = "There is no verbose mode; --json has times and settings";
constexpr std::string_view one_kind = "The command and its options say it: generate, with -i from a picture";

constexpr std::array option_rows{
    ForeignWord{"--cfg", "--guidance", no_note},
    ForeignWord{"--cfg-scale", "--guidance", no_note},
    ForeignWord{"--scale", "--guidance", no_note},
    ForeignWord{"--guidance-scale", "--guidance", no_note},
    ForeignWord{"--true-cfg-scale", "--true-guidance", no_note},
    ForeignWord{"--num-inference-steps", "--steps", no_note},
    ForeignWord{"--inference-steps", "--steps", no_note},
    ForeignWord{"--sample-steps", "--steps", no_note},
    ForeignWord{"--ddim-steps", "--steps", no_note},
    ForeignWord{"--sample-method", "--sampler", no_note},
    ForeignWord{"--sampler-name", "--sampler", no_note},
    ForeignWord{"--neg-prompt", "--negative-prompt", no_note},
    ForeignWord{"--nprompt", "--negative-prompt", no_note},
    ForeignWord{"--outfile", "--output", no_note},
    ForeignWord{"--outdir", "-o FOLDER/", no_note},
    ForeignWord{"--file", "--output", no_note},
    ForeignWord{"--init", "--image", no_note},
    ForeignWord{"--init-img", "--image", no_note},
    ForeignWord{"--init-image", "--image", no_note},
    ForeignWord{"--input", "--image", no_note},
    ForeignWord{"--img", "--image", no_note},
    ForeignWord{"--mask-image", "--mask", no_note},
    ForeignWord{"--image-strength", "--strength", no_note},
    ForeignWord{"--denoise", "--strength", no_note},
    ForeignWord{"--denoising-strength", "--strength", no_note},
    ForeignWord{"--batch-count", "--batch", no_note},
    ForeignWord{"--batch-size", "--batch", no_note},
    ForeignWord{"--num-images", "--batch", no_note},
    ForeignWord{"--num-images-per-prompt", "--batch", no_note},
    ForeignWord{"--n-samples", "--batch", no_note},
    ForeignWord{"--n-iter", "--batch", no_note},
    ForeignWord{"--count", "--batch", no_note},
    ForeignWord{"--image-width", "--width", no_note},
    ForeignWord{"--image-height", "--height", no_note},
    ForeignWord{"--size", "-W 512 -H 512", both_sides},
    ForeignWord{"--resolution", "-W 512 -H 512", both_sides},
    ForeignWord{"--ti", "--embedding", no_note},
    ForeignWord{"--textual-inversion", "--embedding", no_note},
    ForeignWord{"--embd-dir", "--embedding", "A folder of embeddings is named like one of them"},
    ForeignWord{"--lora-model-dir", "--lora-dir", no_note},
    ForeignWord{"--lora-path", "--lora", no_note},
    ForeignWord{"--lora-scale", "--lora FILE:WEIGHT", "The weight of a LoRA stands behind its name"},
    ForeignWord{"--lora-weight", "--lora FILE:WEIGHT", "The weight of a LoRA stands behind its name"},
    ForeignWord{"--hires-scale", "--hires", no_note},
    ForeignWord{"--hr-scale", "--hires", no_note},
    ForeignWord{"--enable-hr", "--hires 2", no_note},
    ForeignWord{"--flow-shift", "--shift", no_note},
    ForeignWord{"--timestep-spacing", "--spacing", no_note},
    ForeignWord{"--rescale-cfg", "--guidance-rescale", no_note},
    ForeignWord{"--guidance-end", "--guidance-interval 0,1", no_note},
    ForeignWord{"--upscale", "--hires", no_note},
    ForeignWord{"--hires-fix", "--hires 2", no_note},
    ForeignWord{"--refiner", "--then", no_note},
    ForeignWord{"--precision", "--dtype", no_note},
    ForeignWord{"--type", "--dtype", no_note},
    ForeignWord{"--fp16", "--dtype fp16", no_note},
    ForeignWord{"--half", "--dtype fp16", no_note},
    ForeignWord{"--bf16", "--dtype bf16", no_note},
    ForeignWord{"--fp32", "--dtype fp32", no_note},
    ForeignWord{"--cpu", "--device cpu", no_note},
    ForeignWord{"--gpu", "--device cuda", no_note},
    ForeignWord{"--cuda", "--device cuda", no_note},
    ForeignWord{"--force", "--overwrite", no_note},
    ForeignWord{"-f", "--overwrite", no_note},
    ForeignWord{"-y", "--overwrite", no_note},
    ForeignWord{"--no-clobber", "--skip-existing", no_note},
    ForeignWord{"--no-overwrite", "--skip-existing", no_note},
    ForeignWord{"--silent", "--quiet", no_note},
    ForeignWord{"--latents", "--init-latent", no_note},
    ForeignWord{"--save-latent", "--latent", no_note},
    ForeignWord{"--load-latent", "--init-latent", no_note},
    ForeignWord{"--ckpt", "lapis import", import_first},
    ForeignWord{"--checkpoint", "lapis import", import_first},
    ForeignWord{"--diffusion-model", "lapis import", import_first},
    ForeignWord{"--unet", "lapis import", import_first},
    ForeignWord{"--model-path", "--model", no_note},
    ForeignWord{"--vae", "lapis import FILE --vae", import_first},
    ForeignWord{"--clip-l", "lapis import FILE --clip-l", import_first},
    ForeignWord{"--clip-g", "lapis import FILE --clip-g", import_first},
    ForeignWord{"--hf-repo", "", no_network},
    ForeignWord{"--repo", "", no_network},
    ForeignWord{"--model-id", "--model", no_note},
    ForeignWord{"--ckpt-path", "lapis import", import_first},
    ForeignWord{"--mode", "", one_kind},
    ForeignWord{"-M", "", one_kind},
    ForeignWord{"--lowvram", "", by_itself},
    ForeignWord{"--medvram", "", by_itself},
    ForeignWord{"--offload-to-cpu", "", by_itself},
    ForeignWord{"--cpu-offload", "", by_itself},
    ForeignWord{"--tolerance", "--fail", no_note},
    ForeignWord{"--threshold", "--fail", no_note},
    ForeignWord{"--failpercent", "--fail-percent", no_note},
    ForeignWord{"--hardfail", "--hard-fail", no_note},
    ForeignWord{"--warnpercent", "--warn-percent", no_note},
    ForeignWord{"--verbose", "", no_more},
    ForeignWord{"-v", "", no_more},
};

constexpr std::array command_rows{
    ForeignWord{"txt2img", "lapis generate", no_note},
    ForeignWord{"img2img", "lapis refine", no_note},
    ForeignWord{"inpaint", "lapis generate TEXT -i FILE --mask FILE", no_note},
    ForeignWord{"upscale", "lapis generate TEXT -i FILE --hires 2", no_note},
    ForeignWord{"draw", "lapis generate", no_note},
    ForeignWord{"render", "lapis generate", no_note},
    ForeignWord{"create", "lapis generate", no_note},
    ForeignWord{"run", "lapis generate", no_note},
    ForeignWord{"make", "lapis generate", no_note},
    ForeignWord{"prompt", "lapis generate", no_note},
    ForeignWord{"sample", "lapis generate", no_note},
    ForeignWord{"info", "lapis inspect", no_note},
    ForeignWord{"show", "lapis inspect", no_note},
    ForeignWord{"metadata", "lapis inspect", no_note},
    ForeignWord{"diff", "lapis compare", no_note},
    ForeignWord{"idiff", "lapis compare", no_note},
    ForeignWord{"models", "lapis list models", no_note},
    ForeignWord{"samplers", "lapis list samplers", no_note},
    ForeignWord{"schedulers", "lapis list schedules", no_note},
    ForeignWord{"ls", "lapis list", no_note},
    ForeignWord{"download", "lapis import", no_network},
    ForeignWord{"pull", "lapis import", no_network},
    ForeignWord{"install", "lapis import", no_network},
    ForeignWord{"add", "lapis import", no_note},
    ForeignWord{"version", "lapis --version", no_note},
};

}  // namespace

std::span<const ForeignWord> foreign_options() { return option_rows; }

std::span<const ForeignWord> foreign_commands() { return command_rows; }

const ForeignWord* find_foreign(std::span<const ForeignWord> rows, std::string_view word) {
  std::string hyphens(word);
  std::replace(hyphens.begin(), hyphens.end(), '_', '-');
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const ForeignWord& row) { return row.word == hyphens; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace lapis::cli
