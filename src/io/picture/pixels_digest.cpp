#include "io/picture/pixels_digest.hpp"

#include <span>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"

namespace lapis::io {

std::string pixels_sha256(const Image& image) {
  const std::string header = core::sentence("P6\n{} {}\n255\n", image.width, image.height);
  std::vector<std::uint8_t> file(header.begin(), header.end());
  file.insert(file.end(), image.rgb.begin(), image.rgb.end());
  return sha256(std::as_bytes(std::span(file)));
}

}  // namespace lapis::io
