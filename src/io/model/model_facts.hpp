// The sections of model.json that name no file: numbers and names. docs/model-folder.md is the grammar.
#pragma once

#include <limits>
#include <vector>

#include "io/file/json_reader.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// The largest whole number that model.json may have where the grammar names no other bound.
constexpr int largest_integer = std::numeric_limits<int>::max();

/// A whole number of [low, high].
int small_integer(const JsonValue& value, int low, int high);

/// Each reads one section of model.json. They throw the error of the document's source (`JsonSource`), with the place
/// in the document, for whatever the grammar does not allow.
Space read_space(const JsonValue& value);
std::vector<Port> read_ports(const JsonValue& value);
SamplingFacts read_sampling(const JsonValue& value);
Defaults read_defaults(const JsonValue& value);
Conditioning read_conditioning(const JsonValue& value);
Taught read_taught(const JsonValue& value);

}  // namespace lapis::io
