// Which graphs, facts and defaults make a model of a published architecture: what a checkpoint does not say itself.
#pragma once

#include <map>
#include <span>
#include <string>

#include "lapis/model.hpp"

namespace lapis::core {

/// One row per architecture of denoisers.
struct Recipe {
  std::string title;                         ///< for people
  std::string family;                        ///< a row of families(); empty: no family of lapis renders with it yet
  std::map<std::string, std::string> parts;  ///< part -> graph in models/graphs; "denoiser" tells the row
  SamplingFacts sampling;
  Defaults defaults;
  Conditioning conditioning;
  std::map<std::string, TokenizerFacts> tokenizers;  ///< without files
  std::string source;                                ///< where the numbers stand
};

std::span<const Recipe> recipes();

/// The row whose denoiser is this graph; null where there is none.
const Recipe* find_recipe(const std::string& denoiser_graph);

}  // namespace lapis::core
