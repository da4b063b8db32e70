// A word that is to be one of some names: the row it means, or a refusal that shows all of them.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/suggest.hpp"

namespace lapis::core {

/// Throws Error{usage}, as in `units is "raw"; expected one of "model" and "vae"`, with a guess among `names` and
/// `others`, what they are called elsewhere. `what` is what was said to be `word`: a field's name, marked.
[[noreturn]] void refuse_word(std::string_view what, std::string_view word, std::span<const std::string> names,
                              std::span<const std::string> others = {});

/// Throws as `refuse_word` where `word` is none of `names`.
void expect_word(std::string_view what, std::string_view word, std::span<const std::string> names);

/// The row of this name. Throws as `refuse_word`.
template <typename Row>
const Row& row_named(std::string_view what, std::string_view word, std::span<const Row> rows) {
  const auto row = std::ranges::find(rows, word, &Row::name);
  if (row == rows.end()) refuse_word(what, word, row_names(rows));
  return *row;
}

/// The row with a name that is `word` in the letters of `loose_name`; `names_of(row)` are all it is called by. Throws
/// as `refuse_word`.
template <typename Row>
const Row& row_called(std::string_view what, std::string_view word, std::span<const Row> rows) {
  std::vector<std::string> others;
  for (const Row& row : rows) {
    for (const std::string& name : names_of(row)) {
      if (loose_name(name) == loose_name(word)) return row;
      others.push_back(name);
    }
  }
  refuse_word(what, word, row_names(rows), others);
}

}  // namespace lapis::core
