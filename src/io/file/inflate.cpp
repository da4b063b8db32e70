#include "io/file/inflate.hpp"

#include <limits>
#include <new>
#include <zlib.h>

namespace lapis::io {
namespace {

/// Owns zlib's state of one stream.
class RawStream {
 public:
  RawStream() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();  // nothing else can fail here
  }
  ~RawStream() { inflateEnd(&stream_); }
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  bool unpack(std::string_view packed, std::string& text) {
    // zlib takes a pointer to input it does not change, but does not say const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    stream_.next_out = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_out = static_cast<uInt>(text.size());
    const int status = inflate(&stream_, Z_FINISH);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    return status == Z_STREAM_END && stream_.avail_out == 0;
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::optional<std::string> inflated(std::string_view packed, std::size_t size) {
  constexpr std::size_t most = std::numeric_limits<uInt>::max() / 2;
  if (packed.size() > most || size > most) return std::nullopt;
  std::string text(size, '\0');
  if (!RawStream().unpack(packed, text)) return std::nullopt;
  return text;
}

}  // namespace lapis::io
