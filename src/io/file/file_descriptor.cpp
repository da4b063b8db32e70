#include "io/file/file_descriptor.hpp"

#include <algorithm>
#include <cerrno>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

std::vector<std::byte> read_all(int descriptor, const std::string& name, std::size_t expected,
                                const std::function<bool(std::span<const std::byte>)>& goes_on) {
  constexpr std::size_t first_piece = std::size_t{1} << 18U;
  std::vector<std::byte> bytes(expected == 0 ? first_piece : expected + 1);  // the one more finds the end
  std::size_t size = 0;
  while (true) {
    if (size == bytes.size()) bytes.resize(2 * size);
    const ssize_t count = ::read(descriptor, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(ErrorKind::input, core::sentence("{} cannot be read: {}.", name, system_reason(errno)));
    size += static_cast<std::size_t>(count);
    if (count == 0 || !goes_on(std::span(bytes).first(size))) break;
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace lapis::io
