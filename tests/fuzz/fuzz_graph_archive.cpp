#include <cstddef>
#include <cstdint>
#include <span>

#include "io/graph/graph_archive.hpp"
#include "lapis/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    lapis::io::check_graph_archive(std::as_bytes(std::span(data, size)), "g.pt");
  } catch (const lapis::Error&) {
    return 0;  // the only exception a reader may end with
  }
  return 0;
}
