// The safetensors format, read strictly (https://github.com/huggingface/safetensors, README, "Format").
//
//   file   = size header data
//   size   = u64, little-endian: bytes of the header, at most 100,000,000
//   header = JSON in UTF-8 that begins with "{" and may end with blanks:
//            { "__metadata__": { text: text ... }, name: { "dtype": text, "shape": [int ...],
//              "data_offsets": [begin, end] } ... }
//   data   = the tensors, row-major, little-endian; offsets count from its start; in their order every tensor begins
//            where the one before ends, and the last one ends the file
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/file/mapped_file.hpp"
#include "io/file/tensor_file.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

constexpr std::uint64_t longest_safetensors_header = 100'000'000;  ///< bytes

/// Bytes that elements of `dtype` take in `shape`, or none where that overflows or is no whole number of bytes.
std::optional<std::uint64_t> tensor_bytes(Dtype dtype, std::span<const std::int64_t> shape);

/// What a file holds.
struct Safetensors {
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

/// What to do about a file that departs from the format.
inline const std::string damaged_file_advice = "It is damaged or was written wrongly: fetch or write it again.";

/// Reads a whole file's bytes; the tensors' data point into them. Every departure from the format above, a repeated key
/// included, throws Error{kind} with `name` as the file it speaks of and `advice` as what to do. Numbers in tensors are
/// not looked at. Time and memory are bounded by the size of `file`. As many as `stray` bytes after the last tensor are
/// passed over.
Safetensors parse_safetensors(std::span<const std::byte> file, const std::string& name, ErrorKind kind,
                              const std::string& advice = damaged_file_advice, std::size_t stray = 0);

/// What stands behind the last tensor of some well-known checkpoints (v1-5-pruned-emaonly.safetensors).
constexpr std::size_t stray_checkpoint_bytes = 4;

/// A safetensors file, mapped. The tensors' data stay valid, at the same address, as long as this object or one moved
/// from it lives. Safe to read from many threads.
class SafetensorsFile final : public TensorFile {
 public:
  /// Throws Error{kind}: ErrorKind::model for a model's weights, ErrorKind::input for a file the user named. `stray` as
  /// in `parse_safetensors`.
  SafetensorsFile(const std::filesystem::path& path, ErrorKind kind, std::size_t stray = 0);

  const std::map<std::string, TensorView>& tensors() const override { return content_.tensors; }
  const std::map<std::string, std::string>& metadata() const override { return content_.metadata; }

  /// `MappedFile::expect_scattered_reads` of the file.
  void expect_scattered_reads(bool scattered) const { file_.expect_scattered_reads(scattered); }

 private:
  MappedFile file_;
  Safetensors content_;
};

/// The bytes of a safetensors file, laid out as the reference writer does: tensors by dtype, then name; the header
/// padded with blanks so that the data begin at a multiple of 8. The same content gives the same bytes.
/// Throws Error{usage} for text that is not UTF-8. Programmer's mistakes throw Error{internal}: a data size that
/// disagrees with dtype and shape, and a tensor called "__metadata__", for no reader could tell it from metadata.
std::vector<std::byte> safetensors_bytes(const Safetensors& content);

/// Writes `safetensors_bytes(content)` to `path`, whole or not at all (`write_file` names the errors).
void write_safetensors(const std::filesystem::path& path, const Safetensors& content, bool overwrite);

}  // namespace lapis::io
