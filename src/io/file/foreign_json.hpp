// JSON documents of other programs: those of diffusers, which Python wrote.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "io/file/json_reader.hpp"

namespace lapis::io {

/// Takes what is null out of an object: Python writes it for what is not there.
void erase_nulls(nlohmann::json& object);

/// An object, read from a file. Keys that are null are taken for not there. Python's Infinity, -Infinity and NaN, which
/// are no JSON, are taken for texts of these letters.
class ForeignJson {
 public:
  /// Throws Error{input} with `advice`, for what cannot be read, is longer than `longest` or is no object.
  ForeignJson(const std::filesystem::path& path, const std::string& advice, std::size_t longest);

  ForeignJson(const ForeignJson&) = delete;
  ForeignJson& operator=(const ForeignJson&) = delete;

  JsonValue value() const { return {document_, source_}; }
  const nlohmann::json& document() const { return document_; }

 private:
  JsonSource source_;
  nlohmann::json document_;
};

}  // namespace lapis::io
