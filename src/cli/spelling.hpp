// How this command line spells the names of fields and commands that texts mark (`core::marked`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lapis::cli {

/// The text with fields as flags ("--steps", "-m") and commands as lines begin ("lapis inspect"). Errors, warnings
/// and notes are spelled where they are printed; this is for texts that go elsewhere.
std::string spelled(std::string_view text);
std::vector<std::string> spelled(std::vector<std::string> texts);

/// From here on texts call a field by `word`, as a command does that takes it without a flag; in a line of a command
/// it is a flag all the same.
void spell_as(const std::string& key, const std::string& word);

}  // namespace lapis::cli
