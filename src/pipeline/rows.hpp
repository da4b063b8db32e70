// A table for people: its rows, the head first where it has one.
#pragma once

#include <string>
#include <vector>

namespace lapis::pipeline {

using Rows = std::vector<std::vector<std::string>>;

}  // namespace lapis::pipeline
