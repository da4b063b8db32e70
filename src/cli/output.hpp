// Files that a command writes, or standard output in place of one.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lapis::cli {

/// Throws Error{usage} where `path` is "-" and standard input is a terminal; `what` would be read from it ("a
/// picture"), `command` is the line that pipes it.
void check_stdin(const std::string& path, const std::string& what, const std::string& command);

/// The name of an output, "-" where it names standard output another way: text about a file must not go behind bytes
/// that are there.
std::string output_name(const std::string& path);

/// Writes a file whole or not at all, or to standard output where `path` is "-". Errors as of `io::write_file`.
void write_output(const std::string& path, std::span<const std::byte> bytes, bool overwrite);

/// Whether two names of outputs lead to one file, there or not.
bool is_same_file(const std::string& one, const std::string& other);

}  // namespace lapis::cli
