// Names of fields and commands within texts for people. A text marks them where it is made, and whoever shows it spells
// them: a command line as flags ("--steps is 0"), a library by their keys ("steps is 0").
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// What a marked name stands for.
enum class NameKind {
  field,    ///< "steps"
  letter,   ///< a field where a line to type has its short flag: "-m" of "model"
  command,  ///< "inspect"
};

/// How one name is shown.
using Spelling = std::function<std::string(NameKind kind, std::string_view word)>;

/// A field's key, marked.
std::string field_name(std::string_view key);

/// Marks what stands in braces: "{steps}" is a field, "{-model}" its letter, "{lapis inspect}" a command. All other
/// braces stay. For texts that stand in the code: a name or a word out of a file must not go through it.
std::string marked(std::string_view text);

/// `text` with every marked name as `spelling` has it. Control characters mark names; a text out of a file may have
/// such characters too, and what is no name between two of them stays as it is.
std::string spelled(std::string_view text, const Spelling& spelling);

/// `text` with fields by their keys and commands by their names.
std::string plain(std::string_view text);

/// Keys of the fields that `text` marks, in their order, each once.
std::vector<std::string> fields_in(std::string_view text);

}  // namespace lapis::core
