#include "io/file/inflate.hpp"

#include <array>
#include <limits>
#include <new>
#include <span>
#include <zlib.h>

namespace lapis::io {
namespace {

/// Owns zlib's state of one stream.
class Stream {
 public:
  /// `window` as inflateInit2 takes it: negative for a stream without zlib's header.
  Stream(std::string_view packed, int window) {
    if (inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc();  // nothing else can fail here
    // zlib takes a pointer to input it does not change, but does not say const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
  }
  ~Stream() { inflateEnd(&stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Unpacks into `piece`; zlib's status.
  int unpack(std::span<char> piece, int flush) {
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = static_cast<uInt>(piece.size());
    const int status = inflate(&stream_, flush);
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    return status;
  }

  std::size_t room_left() const { return stream_.avail_out; }

 private:
  z_stream stream_{};
};

}  // namespace

std::optional<std::string> inflated(std::string_view packed, std::size_t size) {
  constexpr std::size_t most = std::numeric_limits<uInt>::max() / 2;
  if (packed.size() > most || size > most) return std::nullopt;
  std::string text(size, '\0');
  Stream stream(packed, -MAX_WBITS);
  if (stream.unpack(text, Z_FINISH) != Z_STREAM_END || stream.room_left() != 0) return std::nullopt;
  return text;
}

std::optional<std::string> inflated_zlib(std::string_view packed, std::size_t limit) {
  Stream stream(packed, MAX_WBITS);
  std::string text;
  std::array<char, 16'384> piece{};
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    status = stream.unpack(piece, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) return std::nullopt;
    text.append(piece.data(), piece.size() - stream.room_left());
    if (text.size() > limit) return std::nullopt;
  }
  return text;
}

}  // namespace lapis::io
