// The JSON header of a safetensors file. For `safetensors.cpp` alone.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/file/safetensors.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// The key under which a header has metadata, and so no tensor.
constexpr const char* metadata_key = "__metadata__";

/// Throws the error of one file: name, kind and what to do are given once, what is wrong each time.
class HeaderFault {
 public:
  HeaderFault(std::string name, ErrorKind kind, std::string advice)
      : name_(std::move(name)), kind_(kind), advice_(std::move(advice)) {}

  /// `what` is a clause without a full stop, with places for `values` (`core::sentence`).
  template <typename... Values>
  [[noreturn]] void operator()(std::type_identity_t<core::SentenceText<sizeof...(Values)>> what,
                               const Values&... values) const {
    fail(core::sentence(what, values...));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string name_;
  ErrorKind kind_;
  std::string advice_;
};

/// What the header says of one tensor, not yet compared with the data.
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

/// The header of tensors whose data lie in the order of `rows`, padded so that size field and header together are a
/// multiple of 8. Throws Error{usage} for text that is not UTF-8.
std::string safetensors_header(const std::map<std::string, std::string>& metadata,
                               std::span<const std::pair<const std::string, TensorView>* const> rows);

}  // namespace lapis::io
