#include "io/inflate.hpp"

#include <limits>
#include <zlib.h>

namespace lapis::io {
namespace {

/// Owns zlib's state of one stream.
class RawStream {
 public:
  RawStream() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~RawStream() {
    if (ready_) inflateEnd(&stream_);
  }
  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  bool unpack(std::string_view packed, std::string& text) {
    if (!ready_) return false;
    // zlib takes a pointer to input it does not change, but does not say const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    stream_.next_out = reinterpret_cast<Bytef*>(text.data());
    stream_.avail_out = static_cast<uInt>(text.size());
    return inflate(&stream_, Z_FINISH) == Z_STREAM_END && stream_.avail_out == 0;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
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
