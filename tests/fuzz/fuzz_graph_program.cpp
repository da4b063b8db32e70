#include <cstddef>
#include <cstdint>
#include <string_view>

#include "io/graph/graph_program.hpp"

// Both read the same bytes, without the archive around them whose checksums would keep them from being reached.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lapis::io::source_fault(text);
  lapis::io::pickle_tensors(text, [](const std::string& name) -> std::optional<std::uint64_t> { return name.size(); });
  return 0;
}
