// Where the tests' data lies.
#pragma once

#include <filesystem>

namespace lapis::test {

/// The folder tests/ of the source tree.
std::filesystem::path folder();

/// The folder models/ of the source tree.
inline std::filesystem::path models() { return folder().parent_path() / "models"; }

}  // namespace lapis::test
