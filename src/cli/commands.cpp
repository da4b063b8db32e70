#include "cli/commands.hpp"

#include <array>

namespace lapis::cli {
namespace {

constexpr std::array table{
    Command{"generate", "Render pictures from a prompt", declare_generate},
    Command{"inspect", "Show what a model folder or a PNG holds", declare_inspect},
    Command{"list", "Show models, families, samplers, schedules", declare_list},
};

}  // namespace

std::span<const Command> commands() { return table; }

}  // namespace lapis::cli
