#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <new>
#include <png.h>
#include <vector>

#include "io/picture/format_readers.hpp"
#include "io/picture/png.hpp"

namespace lapis::io {
namespace {

constexpr png_uint_32 any_side = 0x7FFF'FFFF;  // sides are judged by whoever reads the facts

// libpng reports errors by longjmp. So the functions that call it, between setjmp and the library, hold no object with
// a destructor; what they work on belongs to their caller, and messages go through this struct.
struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::byte> rest;
  std::array<char, 160> text{};
  bool ran_out = false;

  PngDecoder() = default;
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

void on_read_error(png_structp png, png_const_charp message) {
  auto* decoder = static_cast<PngDecoder*>(png_get_error_ptr(png));
  std::strncpy(decoder->text.data(), message, decoder->text.size() - 1);
  png_longjmp(png, 1);
}

void on_read_warning(png_structp, png_const_charp) {}

void take_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* decoder = static_cast<PngDecoder*>(png_get_io_ptr(png));
  if (count > decoder->rest.size()) {
    decoder->ran_out = true;
    png_error(png, "it is cut short");
  }
  std::memcpy(to, decoder->rest.data(), count);
  decoder->rest = decoder->rest.subspan(count);
}

bool has_palette(const PngDecoder& decoder) {
  return png_get_color_type(decoder.png, decoder.info) == PNG_COLOR_TYPE_PALETTE;
}

/// Reads what stands before the pixels, without the chunks that pixels do not need: they cost memory, and change
/// nothing.
bool open(PngDecoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_set_read_fn(decoder.png, &decoder, take_bytes);
  png_set_user_limits(decoder.png, any_side, any_side);
  png_set_keep_unknown_chunks(decoder.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(decoder.png, decoder.info);
  return true;
}

/// Fills `to` with rows of samples of 8 bits; of a picture with a palette, with its indices.
bool read_rows(PngDecoder& decoder, std::vector<std::uint8_t>& to, std::size_t height) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  if (has_palette(decoder)) {
    png_set_packing(decoder.png);
  } else {
    png_set_expand(decoder.png);
    png_set_strip_16(decoder.png);
  }
  const int passes = png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  const std::size_t stride = to.size() / height;
  if (png_get_rowbytes(decoder.png, decoder.info) != stride) png_error(decoder.png, "it names two kinds of pixels");
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < height; ++y) png_read_row(decoder.png, to.data() + y * stride, nullptr);
  }
  png_read_end(decoder.png, nullptr);
  return true;
}

void start(PngDecoder& decoder, std::span<const std::byte> file, const std::string& name) {
  decoder.rest = file;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_read_error, on_read_warning);
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) throw std::bad_alloc();
  if (!open(decoder)) fail_damaged("PNG", name, decoder.ran_out ? "it is cut short" : decoder.text.data());
}

/// The channels of its pixels, to which a transparent colour adds one.
int channels_of(png_const_structp png, png_const_infop info) {
  const bool has_transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  const png_byte colour = png_get_color_type(png, info);
  const int colours = (colour & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
  return colours + ((colour & PNG_COLOR_MASK_ALPHA) != 0 || has_transparent ? 1 : 0);
}

/// False if an index is beyond the palette.
bool look_up(PngDecoder& decoder, const std::vector<std::uint8_t>& indices, core::Pixels& pixels) {
  png_colorp colours = nullptr;
  png_bytep alphas = nullptr;
  int colour_count = 0;
  int alpha_count = 0;
  png_get_PLTE(decoder.png, decoder.info, &colours, &colour_count);
  png_get_tRNS(decoder.png, decoder.info, &alphas, &alpha_count, nullptr);
  auto to = pixels.bytes.begin();
  for (const std::uint8_t index : indices) {
    if (index >= colour_count) return false;
    const png_color& colour = colours[index];
    *to++ = colour.red;
    *to++ = colour.green;
    *to++ = colour.blue;
    if (pixels.channels == 4) *to++ = index < alpha_count ? alphas[index] : 255;
  }
  return true;
}

}  // namespace

PictureFacts read_png_facts(std::span<const std::byte> file, const std::string& name) {
  PngDecoder decoder;
  start(decoder, file, name);
  PictureFacts facts{.format = "PNG",
                     .width = static_cast<int>(png_get_image_width(decoder.png, decoder.info)),
                     .height = static_cast<int>(png_get_image_height(decoder.png, decoder.info)),
                     .channels = channels_of(decoder.png, decoder.info),
                     .bits = png_get_bit_depth(decoder.png, decoder.info)};
  facts.memory = pixel_count(facts) * static_cast<std::uint64_t>(facts.channels + (has_palette(decoder) ? 1 : 0));
  return facts;
}

core::Pixels read_png_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  read_png_text(file, name);
  PngDecoder decoder;
  start(decoder, file, name);
  core::Pixels pixels = core::make_pixels(facts.width, facts.height, facts.channels);
  std::vector<std::uint8_t> indices(has_palette(decoder) ? pixel_count(facts) : 0);
  std::vector<std::uint8_t>& samples = has_palette(decoder) ? indices : pixels.bytes;
  if (!read_rows(decoder, samples, static_cast<std::size_t>(facts.height))) {
    fail_damaged("PNG", name, decoder.ran_out ? "it is cut short" : decoder.text.data());
  }
  if (has_palette(decoder) && !look_up(decoder, indices, pixels)) {
    fail_damaged("PNG", name, "a pixel has a colour that its palette lacks");
  }
  return pixels;
}

}  // namespace lapis::io
