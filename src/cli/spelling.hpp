// How this command line spells the names of fields and commands that texts mark (`core::marked`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/text/names.hpp"

namespace lapis::cli {

/// How one name is spelled: "steps" as "--steps", "model" with its letter as "-m", "inspect" as "lapis inspect".
std::string spelling(core::NameKind kind, std::string_view word);

/// The text with fields as flags ("--steps", "-m") and commands as lines begin ("lapis inspect"). Errors, warnings
/// and notes are spelled where they are printed; this is for texts that go elsewhere.
std::string spelled(std::string_view text);
std::vector<std::string> spelled(std::vector<std::string> texts);

}  // namespace lapis::cli
