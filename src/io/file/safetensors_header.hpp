// The JSON header of a safetensors file. For `safetensors.cpp` alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/file/safetensors.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// Throws the error of one file: name, kind and what to do are given once, what is wrong each time.
class HeaderFault {
 public:
  HeaderFault(std::string name, ErrorKind kind, std::string advice)
      : name_(std::move(name)), kind_(kind), advice_(std::move(advice)) {}

  /// `what` is a clause without a full stop.
  [[noreturn]] void operator()(const std::string& what) const;

 private:
  std::string name_;
  ErrorKind kind_;
  std::string advice_;
};

/// What the header says of one tensor, not yet held against the data.
struct TensorEntry {
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< bytes from the start of the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
};

/// Calls `fault` for anything that the grammar does not allow.
SafetensorsHeader parse_safetensors_header(std::string_view text, const HeaderFault& fault);

/// Builds a header; tensors are laid out in the order they are added.
class SafetensorsHeaderWriter {
 public:
  explicit SafetensorsHeaderWriter(const std::map<std::string, std::string>& metadata);
  void add(const std::string& name, const TensorView& tensor);

  /// The header, padded so that size field and header together are a multiple of 8.
  std::string finish();

 private:
  void begin_member(const std::string& key);

  std::string text_ = "{";
  std::uint64_t offset_ = 0;
};

}  // namespace lapis::io
