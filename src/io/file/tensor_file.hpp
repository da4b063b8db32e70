// A file of named tensors, whatever its format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/error.hpp"

namespace lapis::io {

/// Element types, in the order in which the reference writer of safetensors sorts by them (the last one is written
/// first).
enum class Dtype {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64,
};

/// The name of `dtype` as safetensors has it: "F32", "BF16".
std::string_view dtype_name(Dtype dtype);

/// Bits of one element: 4 to 64.
unsigned dtype_bits(Dtype dtype);

/// A tensor whose bytes belong to another object.
struct TensorView {
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  ///< empty: one number; a 0 among them: no numbers
  std::span<const std::byte> data;  ///< row-major, little-endian; not aligned to anything
};

/// Where weights are found by name. Safe to read from many threads.
class TensorFile {
 public:
  TensorFile() = default;
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;
  virtual ~TensorFile() = default;

  /// All tensors of the file, by their names. Their data stay valid, at the same address, as long as this object or one
  /// moved from it lives.
  virtual const std::map<std::string, TensorView>& tensors() const = 0;

  /// The texts that the file keeps beside its tensors, by their keys.
  virtual const std::map<std::string, std::string>& metadata() const = 0;

  /// The tensor `name`, or null. It belongs to this object.
  const TensorView* find(const std::string& name) const;

 protected:
  TensorFile(TensorFile&&) = default;
  TensorFile& operator=(TensorFile&&) = default;
};

/// The file at `path`, opened as what it is: safetensors. Throws Error{kind} for one that is damaged or of no such
/// format. As many as `stray` bytes after the last tensor are passed over.
std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path, ErrorKind kind, std::size_t stray = 0);

}  // namespace lapis::io
