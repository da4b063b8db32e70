// Words in command lines that are to be typed.
#pragma once

#include <string>

namespace lapis::core {

/// `text` as a POSIX shell reads it back as one word: in quotes where it needs them.
std::string shell_word(const std::string& text);

/// The word for a file by the name that messages give it: "-" for "standard input".
std::string file_word(const std::string& file);

}  // namespace lapis::core
