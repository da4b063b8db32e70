#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "io/file/safetensors.hpp"
#include "lapis/error.hpp"

using namespace lapis;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<io::Safetensors> content;
  try {
    content = io::parse_safetensors(std::as_bytes(std::span(data, size)), "a.safetensors", ErrorKind::input);
  } catch (const Error&) {
    return 0;  // the only exception a reader may end with
  }
  // What is read can be written, and that can be read.
  const std::vector<std::byte> written = io::safetensors_bytes(*content);
  const io::Safetensors again = io::parse_safetensors(written, "again", ErrorKind::internal);
  if (again.tensors.size() != content->tensors.size() || again.metadata != content->metadata) __builtin_trap();
  return 0;
}
