// Words in command lines that are to be typed.
#pragma once

#include <string>

namespace lapis::core {

/// `text` as a POSIX shell reads it back as one word: in quotes where it needs them.
std::string shell_word(const std::string& text);

}  // namespace lapis::core
