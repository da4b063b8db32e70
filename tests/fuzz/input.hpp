// What a fuzz target makes of the fuzzer's bytes: choices, names and files.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "io/file/safetensors.hpp"
#include "nlohmann/json.hpp"

namespace lapis::test {

/// Reads choices from the front. Where the bytes end, all of them are 0.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool end() const { return rest_.empty(); }

  std::size_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  std::size_t number() { return byte() | byte() << 8U; }

  /// One of a table that is not empty.
  template <class Table>
  const auto& one_of(const Table& table) {
    const std::size_t count = std::size(table);
    return *std::next(std::begin(table), static_cast<std::ptrdiff_t>((count > 256 ? number() : byte()) % count));
  }

  /// As many bytes as the first one says.
  std::string text() {
    const std::size_t size = std::min(byte(), rest_.size());
    const std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

 private:
  std::string_view rest_;
};

/// A tensor to be written; its numbers are 0 behind those given.
struct MadeTensor {
  std::string dtype = "F16";
  std::vector<std::int64_t> shape{};
  std::string numbers{};
};

/// A safetensors file that lives as long as this, and takes no memory for numbers that are 0.
class MadeFile {
 public:
  MadeFile(const std::map<std::string, MadeTensor>& tensors, const std::map<std::string, std::string>& metadata)
      : file_(memfd_create("a.safetensors", MFD_CLOEXEC)) {
    nlohmann::json header = {{"__metadata__", metadata}};
    std::uint64_t end = 0;
    std::vector<std::pair<std::uint64_t, std::string>> numbers;
    for (const auto& [name, tensor] : tensors) {
      const std::uint64_t begin = end;
      end += bytes_of(tensor);
      header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
      numbers.emplace_back(begin, tensor.numbers.substr(0, end - begin));
    }
    const std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const std::uint64_t size = text.size();
    write({reinterpret_cast<const char*>(&size), sizeof(size)}, 0);
    write(text, sizeof(size));
    for (const auto& [at, bytes] : numbers) write(bytes, sizeof(size) + size + at);
    if (ftruncate(file_, static_cast<off_t>(sizeof(size) + size + end)) != 0) throw std::runtime_error("no room");
  }
  ~MadeFile() { close(file_); }
  MadeFile(const MadeFile&) = delete;
  MadeFile& operator=(const MadeFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  static std::uint64_t bytes_of(const MadeTensor& tensor) {
    constexpr std::uint64_t most = std::uint64_t{1} << 36U;
    for (int i = 0; i <= static_cast<int>(io::Dtype::u64); ++i) {
      const auto dtype = static_cast<io::Dtype>(i);
      if (io::dtype_name(dtype) == tensor.dtype) {
        return std::min(io::tensor_bytes(dtype, tensor.shape).value_or(0), most);
      }
    }
    return 0;
  }

  void write(std::string_view bytes, std::uint64_t at) const {
    if (pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at)) < 0) throw std::runtime_error("no room");
  }

  int file_;
};

/// The repository's models.
inline std::filesystem::path models() { return std::filesystem::path(LAPIS_TESTS_DIR).parent_path() / "models"; }

}  // namespace lapis::test
