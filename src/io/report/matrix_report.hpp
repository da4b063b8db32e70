// What `lapis matrix` found out, in JSON. docs/cli.md describes the document.
#pragma once

#include <string>

#include "core/picture/matrix.hpp"

namespace lapis::io {

/// One line without the pictures.
std::string matrix_report(const core::Matrix& matrix);

}  // namespace lapis::io
