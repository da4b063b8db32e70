#include "io/file/memory.hpp"

#include <fstream>
#include <string>

namespace lapis::io {

std::optional<std::uint64_t> free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::nullopt;
}

}  // namespace lapis::io
