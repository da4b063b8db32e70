// A matrix as three files in a folder.
#pragma once

#include <string>
#include <vector>

#include "core/picture/matrix.hpp"
#include "pipeline/outputs.hpp"

namespace lapis::pipeline {

/// Decides about matrix.png, a sheet of all pictures, matrix.json with its numbers, and matrix.html, a page that holds
/// both, in this order. Throws Error{usage} for what names no folder, and as `plan_outputs`.
std::vector<Output> plan_matrix_outputs(const std::string& folder, const OutputPolicy& policy);

/// Writes those that do not stay, in their folder, which is made where it is not there. Throws as `io::write_file`.
void save(const core::Matrix& matrix, const std::vector<Output>& outputs, const OutputPolicy& policy);

}  // namespace lapis::pipeline
