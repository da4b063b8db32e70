// What there is to choose from, as tables: models, spaces, samplers and their like.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/events.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/rows.hpp"

namespace lapis::pipeline {

/// What a table is made with.
struct ListTools {
  ModelCatalog& catalog;
  const Events& events;                                ///< warned of each folder that cannot be read as a model
  std::function<std::string(std::string_view)> spell;  ///< a text of lapis' own, whose names are marked
  bool whole = false;                                  ///< long lists of numbers are for a program, and not cut short
};

/// What can be listed, by name.
std::vector<std::string> listing_names();

/// A head, and a row for each thing. Throws Error{usage} with all names there are.
Rows listed(const std::string& name, const ListTools& tools);

}  // namespace lapis::pipeline
