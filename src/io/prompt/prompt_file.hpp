// Prompts that are kept in files.
#pragma once

#include <string>
#include <string_view>

namespace lapis::io {

/// What a prompt's argument stands for: "@FILE" the content of a file, "@-" and "-" that of standard input, "\@..." the
/// text behind the backslash, anything else itself. Of a file's content one line break at the end and a byte order mark
/// at the beginning are dropped. `option` is the argument's flag, for messages. Throws Error{input} for a file that
/// cannot be read, is no UTF-8, or is larger than 1 MiB.
std::string prompt_text(std::string_view argument, std::string_view option);

/// True if `prompt_text` would read standard input.
bool reads_stdin(std::string_view argument);

}  // namespace lapis::io
