#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>

#include "../folder.hpp"
#include "../fuzz/check_latent.hpp"
#include "io/file/half.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// Draws documents of every kind that a file can hold.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  LatentDocument document() {
    LatentDocument document;
    Passport& passport = document.passport;
    passport.space = space();
    passport.dtype = std::array{LatentDtype::f32, LatentDtype::f16, LatentDtype::bf16}.at(below(3));
    const auto* row = core::find_space(passport.space.id);
    const auto packing = static_cast<std::int64_t>(row == nullptr ? 1 : row->packing);
    const auto side = [&] { return packing * static_cast<std::int64_t>(1 + below(4)); };
    passport.shape = {static_cast<std::int64_t>(1 + below(3)), passport.space.channels, side(), side()};
    document.values = values(passport);
    if (flip()) {
      unfinish(document);
    } else {
      passport.units = flip() ? Units::model : Units::vae;
    }
    if (flip()) passport.vae_sha256 = digest();
    if (flip())
      passport.job = "{" + nlohmann::json(text()).dump() + ":[" + nlohmann::json(text()).dump() + ",null,1.5e-3]}";
    for (std::size_t i = below(4); i > 0; --i) passport.history.push_back(transcode());
    for (std::size_t i = below(3); i > 0; --i) document.extra["x-" + text()] = text();
    return document;
  }

 private:
  std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
  bool flip() { return below(2) == 0; }

  /// Any number of [low, high], at every scale that lies between them.
  double number(double low, double high) {
    if (low > 0) return std::exp(std::uniform_real_distribution(std::log(low), std::log(high))(random_));
    const double sign = low < 0 && flip() ? -1 : 1;
    return below(8) == 0 ? 0.0 : sign * number(1e-6, high);
  }

  /// Letters of every length in UTF-8, quotes, backslashes and control characters.
  std::string text() {
    static const std::vector<std::string> letters = {"a", "Z",      "\"",     "\\", "\n", "\x01", "\x7F",
                                                     "/", " ",      ":",      "ü",  "ß",  "人",   "生",
                                                     "😀", "\u200B", "\uFFFD", "{",  "]",  ",",    "0"};
    std::string drawn;
    for (std::size_t i = below(12); i > 0; --i) drawn += letters.at(below(letters.size()));
    return drawn;
  }

  std::string word() {
    static const std::vector<std::string> letters = {"a", "Z", "-", "_", "9", "ü", "人", "😀", "\"", "/"};
    std::string drawn = "w";
    for (std::size_t i = below(8); i > 0; --i) drawn += letters.at(below(letters.size()));
    return drawn;
  }

  std::string digest() {
    std::string drawn;
    for (int i = 0; i < 64; ++i) drawn += "0123456789abcdef"[below(16)];
    return drawn;
  }

  Space space() {
    const auto rows = core::spaces();
    const std::size_t place = below(rows.size() + 3);
    if (place < rows.size()) {
      Space space = rows[place].space;
      if (flip()) space.lineage = word() + ":" + word();
      return space;
    }
    Space space{
        word() + "-own", static_cast<int>(1 + below(20)), static_cast<int>(1 + below(256)), number(1e-6, 1e6), 0,
        word()};
    if (flip()) {
      space.shift = number(-1e6, 1e6);
      return space;
    }
    for (int c = 0; c < space.channels; ++c) {
      space.mean.push_back(number(-1e6, 1e6));
      space.deviation.push_back(number(1e-6, 1e6));
    }
    return space;
  }

  std::vector<float> values(const Passport& passport) {
    std::int64_t count = 1;
    for (const std::int64_t size : passport.shape) count *= size;
    std::vector<float> drawn;
    while (drawn.size() < static_cast<std::size_t>(count)) {
      const auto bits = static_cast<std::uint32_t>(random_());
      float value = std::bit_cast<float>(bits);
      if (passport.dtype == LatentDtype::f16) value = from_f16(static_cast<std::uint16_t>(bits));
      if (passport.dtype == LatentDtype::bf16) value = from_bf16(static_cast<std::uint16_t>(bits));
      if (std::isfinite(value)) drawn.push_back(value);
    }
    return drawn;
  }

  void unfinish(LatentDocument& document) {
    Passport& passport = document.passport;
    passport.path = flip() ? Path::flow : Path::variance_exploding;
    passport.sigma = passport.path == Path::flow ? number(1e-6, 1) : number(1e-6, 1e6);
    passport.step = static_cast<int>(below(2'147'483'648));
    passport.draws = static_cast<int>(below(1000));
    Passport plain = passport;
    plain.dtype = LatentDtype::f32;
    for (std::size_t i = below(12); i > 8; --i) document.memory.push_back(values(plain));
  }

  Transcode transcode() {
    Transcode drawn{"r" + text(), "f" + text(), "t" + text(), {}, {}};
    drawn.size = {static_cast<int>(1 + below(2'147'483'647)), static_cast<int>(1 + below(10'000))};
    if (flip()) drawn.psnr = below(4) == 0 ? std::numeric_limits<double>::infinity() : number(0, 1000);
    return drawn;
  }

  std::mt19937_64 random_;
};

/// A small file whose header has every kind of key.
std::string small_file(bool partial) {
  LatentDocument document = partial ? partial_latent() : finished_latent();
  document.passport.history.resize(1);
  if (!partial) {
    document.passport.space = core::parse_space("playground25");
    document.passport.shape = {1, 4, 1, 1};
    document.values.resize(4);
  }
  return as_text(latent_bytes(document));
}

std::size_t header_end(const std::string& file) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  return sizeof length + length;
}

/// Every facts under which the file was read; a break of the promise throws and fails the test.
std::size_t readings(const std::string& file) {
  std::size_t count = 0;
  for (const LatentHints& hints : latent_hints()) count += check_latent(as_bytes(file), hints) ? 1U : 0U;
  return count;
}

/// `file` with its header's text changed, and the length before it.
std::string with_header(const std::string& file, const std::string& from, const std::string& to) {
  std::string header = file.substr(8, header_end(file) - 8);
  const std::size_t at = header.find(from);
  REQUIRE(at != std::string::npos);
  header.replace(at, from.size(), to);
  std::string changed;
  for (int i = 0; i < 8; ++i) changed += static_cast<char>(header.size() >> (8 * i));
  return changed + header + file.substr(header_end(file));
}

void check_latent_refused(const std::string& file, const std::string& reason) {
  check_fails(ErrorKind::input, {"a.safetensors", reason}, [&] { parse_latent(as_bytes(file), "a.safetensors"); });
}

}  // namespace

TEST_CASE("every latent that can be comes back to the byte") {
  Generator generator(20240607);
  std::set<std::string> spaces;
  std::size_t partial = 0;
  for (int i = 0; i < 400; ++i) {
    INFO("document " << i);
    const LatentDocument document = generator.document();
    const std::vector<std::byte> bytes = latent_bytes(document);
    const LatentDocument again = parse_latent(bytes, "a");
    REQUIRE(again == document);
    REQUIRE(parse_passport(bytes, "a") == document.passport);
    REQUIRE(latent_bytes(again) == bytes);
    spaces.insert(core::find_space(document.passport.space.id) == nullptr ? "own" : document.passport.space.id);
    partial += document.passport.sigma > 0 ? 1U : 0U;
  }
  CHECK(spaces.size() == core::spaces().size() + 1);
  CHECK(partial > 100);
}

TEST_CASE("documents that differ have files that differ") {
  Generator generator(7);
  std::set<std::string> files;
  for (int i = 0; i < 100; ++i) files.insert(as_text(latent_bytes(generator.document())));
  CHECK(files.size() == 100);
}

TEST_CASE("a latent cut at any byte is refused") {
  for (const bool partial : {false, true}) {
    const std::string whole = small_file(partial);
    CHECK(readings(whole) > 0);
    std::size_t refused = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::string cut = whole.substr(0, length);
      const auto error = error_of([&] { read_latent(as_bytes(cut), "a", {}); });
      if (error && error->kind() == ErrorKind::input) ++refused;
    }
    CHECK(refused == whole.size());
  }
}

TEST_CASE("a foreign latent cut at any byte is refused") {
  for (const char* name : {"comfy.latent", "diffusers_flux.safetensors", "plain_f16.npy"}) {
    INFO(name);
    const std::string whole = read_text(data_file(std::string("latents/") + name));
    CHECK(readings(whole) > 0);
    std::size_t read = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) read += readings(whole.substr(0, length));
    CHECK(read == 0);
  }
}

TEST_CASE("repeated keys and lying offsets are refused") {
  const std::string whole = as_text(latent_bytes(partial_latent()));
  CHECK_NOTHROW(parse_latent(as_bytes(with_header(whole, "\"x-note\"", "\"x-more\"")), "a.safetensors"));
  check_latent_refused(with_header(whole, "\"space\":", "\"scale\":\"1\",\"space\":"), "\"scale\" appears twice");
  check_latent_refused(with_header(whole, "\"x-note\":", "\"x-note\":\"\",\"x-note\":"), "\"x-note\" appears twice");
  check_latent_refused(with_header(whole, "\"latent\":{", "\"memory.0\":{"), "\"memory.0\" appears twice");
  check_latent_refused(with_header(whole, "\"__metadata__\"", "\"__metadata__\":{},\"__metadata__\""), "appears twice");
  check_latent_refused(with_header(whole, "[0,256]", "[0,255]"), "needs 256 bytes");
  check_latent_refused(with_header(whole, "[0,256]", "[4,260]"), "a hole before it");
  check_latent_refused(with_header(whole, "[256,512]", "[0,256]"), "overlaps");
  check_latent_refused(with_header(whole, "[512,768]", "[512,18446744073709551615]"), "needs 256 bytes");
  check_latent_refused(with_header(whole, "[1,16,2,2]", "[1,16,2,2,4611686018427387904]"), "too large");
  check_latent_refused(with_header(whole, "[1,16,2,2]", "[16,1,2,2]"), "1 channels");
}

TEST_CASE("the fuzzer's corpus is read or refused, as every file is") {
  std::size_t files = 0;
  std::size_t read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(lapis::test::folder() / "fuzz/corpus/latent")) {
    INFO(entry.path());
    ++files;
    read += readings(read_text(entry.path())) > 0 ? 1U : 0U;
  }
  CHECK(files >= 10);
  CHECK(read >= 8);
}
