#include "io/file/tensor_file.hpp"

#include "io/file/safetensors.hpp"

namespace lapis::io {

const TensorView* TensorFile::find(const std::string& name) const {
  const auto found = tensors().find(name);
  return found == tensors().end() ? nullptr : &found->second;
}

std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path, ErrorKind kind, std::size_t stray) {
  return std::make_unique<SafetensorsFile>(path, kind, stray);
}

}  // namespace lapis::io
