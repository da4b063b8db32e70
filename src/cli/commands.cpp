#include "cli/commands.hpp"

#include <array>

namespace lapis::cli {
namespace {

constexpr std::array table{
    Command{"generate", "Render pictures from a prompt", declare_generate},
    Command{"check", "Tell whether latent, model, VAE and size go together", declare_check},
    Command{"inspect", "Show what a model folder, a latent or a PNG holds", declare_inspect},
    Command{"list", "Show models, families, spaces, samplers, schedules", declare_list},
};

}  // namespace

std::span<const Command> commands() { return table; }

}  // namespace lapis::cli
