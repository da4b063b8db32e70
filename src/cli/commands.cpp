#include "cli/commands.hpp"

#include <array>

namespace lapis::cli {
namespace {

constexpr std::array table{
    Command{"generate", "Render pictures from a prompt", declare_generate, true},
    Command{"refine", "Draw a latent or a picture anew, across families too", declare_refine, true},
    Command{"encode", "Make latents of pictures", declare_encode, true},
    Command{"decode", "Make pictures of a latent, by the VAE it comes from", declare_decode, true},
    Command{"convert", "Carry a latent into another space, unit or tool's format", declare_convert, true},
    Command{"check", "Tell whether latent, model, VAE and size go together", declare_check},
    Command{"compare", "Tell how far pictures, latents or folders of them differ", declare_compare},
    Command{"batch", "Do many jobs with one load, and go on where it was stopped", declare_batch, true},
    Command{"smoke", "Hold named jobs against what was approved", declare_smoke, true},
    Command{"matrix", "Show latents through right, wrong and crossed decoders", declare_matrix, true},
    Command{"import", "Make a model of a checkpoint on disk", declare_import},
    Command{"inspect", "Show what a model folder, a latent or a picture holds", declare_inspect},
    Command{"list", "Show models, families, spaces, samplers, schedules", declare_list},
};

}  // namespace

std::span<const Command> commands() { return table; }

}  // namespace lapis::cli
