#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it before
#include <cstring>
#include <jerror.h>
#include <jpeglib.h>
#include <new>
#include <optional>
#include <vector>

#include "core/text/sentence.hpp"
#include "io/picture/format_readers.hpp"

namespace lapis::io {
namespace {

constexpr int most_scans = 100;            // encoders make about 10
constexpr int most_extraneous_bytes = 64;  // cameras leave a few behind the pixels; more is what damage leaves
constexpr std::uint64_t coefficient = 2;   // bytes

// libjpeg reports errors by longjmp. So the functions that call it, between setjmp and the library, hold no object with
// a destructor; what they work on belongs to their caller, and messages go through this struct.
struct JpegDecoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape{};
  int code = 0;  ///< libjpeg's number of what went wrong; 0: `reason` says it
  const char* reason = nullptr;
  std::array<char, JMSG_LENGTH_MAX> text{};

  JpegDecoder() = default;
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;
  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg); }
};

JpegDecoder& decoder_of(j_common_ptr jpeg) { return *static_cast<JpegDecoder*>(jpeg->client_data); }

[[noreturn]] void give_up(j_common_ptr jpeg) {
  JpegDecoder& decoder = decoder_of(jpeg);
  decoder.code = decoder.errors.msg_code;
  (*decoder.errors.format_message)(jpeg, decoder.text.data());
  std::longjmp(decoder.escape, 1);
}

[[noreturn]] void give_up(j_common_ptr jpeg, const char* reason) {
  decoder_of(jpeg).reason = reason;
  std::longjmp(decoder_of(jpeg).escape, 1);
}

/// Lets those warnings pass that say nothing of the pixels; with any other, libjpeg has made pixels up.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL: return;
    case JWRN_EXTRANEOUS_DATA:
      if (jpeg->err->msg_parm.i[0] <= most_extraneous_bytes) return;
      break;
    default: break;
  }
  give_up(jpeg);
}

void print_nothing(j_common_ptr) {}

void at_start(j_decompress_ptr) {}

/// The whole file is there from the start: whoever asks for more has come to its end.
boolean at_end(j_decompress_ptr jpeg) { give_up(reinterpret_cast<j_common_ptr>(jpeg), "it is cut short"); }

void skip(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  if (static_cast<std::size_t>(count) > jpeg->src->bytes_in_buffer) at_end(jpeg);
  jpeg->src->next_input_byte += count;
  jpeg->src->bytes_in_buffer -= static_cast<std::size_t>(count);
}

/// A scan of a few bytes costs as much as the picture is large: their number is what must be bounded.
void count_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number > most_scans) {
    give_up(jpeg, "it has more than 100 scans");
  }
}

/// Whether every coefficient of every component came to its last bit: else a scan is missing, and libjpeg makes do.
bool is_complete(const jpeg_decompress_struct& jpeg) {
  for (int i = 0; i < jpeg.num_components; ++i) {
    if (jpeg.comp_info[i].quant_table == nullptr) return false;
    for (int k = 0; jpeg.progressive_mode != FALSE && k < DCTSIZE2; ++k) {
      if (jpeg.coef_bits[i][k] != 0) return false;
    }
  }
  return true;
}

bool open(JpegDecoder& decoder, std::span<const std::byte> file) {
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = give_up;
  decoder.errors.emit_message = on_message;
  decoder.errors.output_message = print_nothing;
  decoder.jpeg.client_data = &decoder;
  if (setjmp(decoder.escape) != 0) return false;
  jpeg_create_decompress(&decoder.jpeg);
  decoder.progress.progress_monitor = count_scans;
  decoder.jpeg.progress = &decoder.progress;
  decoder.source.init_source = at_start;
  decoder.source.fill_input_buffer = at_end;
  decoder.source.skip_input_data = skip;
  decoder.source.resync_to_restart = jpeg_resync_to_restart;
  decoder.source.term_source = at_start;
  decoder.source.next_input_byte = reinterpret_cast<const JOCTET*>(file.data());
  decoder.source.bytes_in_buffer = file.size();
  decoder.jpeg.src = &decoder.source;
  jpeg_read_header(&decoder.jpeg, TRUE);
  return true;
}

/// Pillow's CMYK to RGB, of inverted samples.
void rgb_from_cmyk(const std::uint8_t* from, std::uint8_t* to, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i, from += 4, to += 3) {
    const int light = from[3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int product = (255 - from[c]) * light + 128;
      const int dark = ((product >> 8) + product) >> 8;
      to[c] = static_cast<std::uint8_t>(light > dark ? light - dark : 0);
    }
  }
}

/// `row` has room for one of 4 channels where the file has these, `pixels` for all the picture.
bool read_rows(JpegDecoder& decoder, core::Pixels& pixels, std::vector<std::uint8_t>& row) {
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  const auto width = static_cast<std::size_t>(pixels.width);
  const std::size_t stride = width * static_cast<std::size_t>(pixels.channels);
  if (setjmp(decoder.escape) != 0) return false;
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* const to = pixels.bytes.data() + jpeg.output_scanline * stride;
    JSAMPROW line = row.empty() ? to : row.data();
    jpeg_read_scanlines(&jpeg, &line, 1);
    if (!row.empty()) rgb_from_cmyk(row.data(), to, width);
  }
  if (!is_complete(jpeg)) give_up(reinterpret_cast<j_common_ptr>(&jpeg), "some of its scans are missing");
  jpeg_finish_decompress(&jpeg);
  return true;
}

/// The name of a kind of JPEG that is not read, by the marker of its frame (T.81, table B.1).
std::string kind_name(int marker) {
  if (marker >= 0xC8) return "arithmetic coding";
  return marker == 0xC3 ? "lossless coding" : "hierarchical coding";
}

[[noreturn]] void refuse_jpeg(const std::string& name, const std::string& kind) {
  fail_unread(name, core::sentence("JPEG of {}", kind), "Save it as a PNG or an ordinary JPEG first.");
}

[[noreturn]] void fail(const JpegDecoder& decoder, const std::string& name) {
  if (decoder.reason != nullptr) fail_damaged("JPEG", name, decoder.reason);
  if (decoder.code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
  if (decoder.code == JERR_SOF_UNSUPPORTED) refuse_jpeg(name, kind_name(decoder.errors.msg_parm.i[0]));
  if (decoder.code == JERR_BAD_PRECISION) {
    refuse_jpeg(name, core::sentence("{} bits a channel", decoder.errors.msg_parm.i[0]));
  }
  fail_damaged("JPEG", name, decoder.text.data());
}

/// Several scans are put together in memory, as coefficients of the whole picture.
std::uint64_t coefficient_bytes(jpeg_decompress_struct& jpeg) {
  if (jpeg_has_multiple_scans(&jpeg) == FALSE) return 0;
  std::uint64_t bytes = 0;
  for (int i = 0; i < jpeg.num_components; ++i) {
    const jpeg_component_info& part = jpeg.comp_info[i];
    const std::uint64_t across = part.width_in_blocks + static_cast<unsigned>(part.h_samp_factor) - 1;
    const std::uint64_t down = part.height_in_blocks + static_cast<unsigned>(part.v_samp_factor) - 1;
    bytes += across * down * DCTSIZE2 * coefficient;
  }
  return bytes;
}

}  // namespace

PictureFacts read_jpeg_facts(std::span<const std::byte> file, const std::string& name) {
  JpegDecoder decoder;
  if (!open(decoder, file)) fail(decoder, name);
  const jpeg_decompress_struct& jpeg = decoder.jpeg;
  if (jpeg.arith_code != FALSE) refuse_jpeg(name, "arithmetic coding");
  const int parts = jpeg.num_components;
  if (parts != 1 && parts != 3 && parts != 4) refuse_jpeg(name, core::sentence("{} channels", parts));
  PictureFacts facts{.format = "JPEG",
                     .width = static_cast<int>(jpeg.image_width),
                     .height = static_cast<int>(jpeg.image_height),
                     .channels = parts == 1 ? 1 : 3};
  facts.memory = pixel_count(facts) * static_cast<std::uint64_t>(facts.channels) + coefficient_bytes(decoder.jpeg);
  return facts;
}

core::Pixels read_jpeg(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name) {
  JpegDecoder decoder;
  if (!open(decoder, file)) fail(decoder, name);
  core::Pixels pixels = core::make_pixels(facts.width, facts.height, facts.channels);
  std::vector<std::uint8_t> row;
  if (decoder.jpeg.num_components == 4) row.resize(static_cast<std::size_t>(facts.width) * 4);
  if (!read_rows(decoder, pixels, row)) fail(decoder, name);
  return pixels;
}

}  // namespace lapis::io
