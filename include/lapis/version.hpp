// The program's version: the one place it stands in. CMake reads it from here.
#pragma once

namespace lapis {

inline constexpr const char* version = "0.1.0";

}  // namespace lapis
