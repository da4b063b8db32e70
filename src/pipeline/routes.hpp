// The routes between all spaces, as `list` shows them.
#pragma once

#include <string>
#include <vector>

#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// A head and a row for each ordered pair of spaces: those of the table and those of known models. The verdict is that
/// on a finished latent with both VAEs at hand; the last column says whether they are.
std::vector<std::vector<std::string>> route_rows(ModelCatalog& catalog);

}  // namespace lapis::pipeline
