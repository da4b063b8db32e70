#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <exception>
#include <set>
#include <string>
#include <vector>

#include "../fuzz/check_latent.hpp"
#include "latents.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// A file of one format, small, and the hints it needs.
struct Sample {
  std::string name;
  std::string file;
  LatentHints hints;
};

std::string small_file(LatentDocument document) {
  document.passport.history.resize(1);
  return as_text(latent_bytes(document));
}

/// At least one of every format.
std::vector<Sample> samples() {
  const auto file = [](const std::string& name) { return read_text(data_file("latents/" + name)); };
  const Space sd15 = core::parse_space("sd15");
  const Space flux = core::parse_space("flux");
  LatentDocument with_means = finished_latent();
  with_means.passport.space = core::parse_space("playground25");
  with_means.passport.shape = {1, 4, 1, 1};
  with_means.values.resize(4);
  return {{"finished", small_file(with_means), {}},
          {"partially denoised", small_file(partial_latent()), {}},
          {"comfy", file("comfy.latent"), {sd15, {}, {}, {}}},
          {"comfy without metadata", file("comfy_plain.latent"), {sd15, {}, {}, {}}},
          {"comfy-old", file("comfy_old.latent"), {sd15, {}, {}, {}}},
          {"diffusers", file("diffusers.safetensors"), {sd15, {}, {}, {}}},
          {"diffusers, brain floats", file("diffusers_bf16.safetensors"), {sd15, {}, {}, {}}},
          {"diffusers, packed", file("diffusers_flux.safetensors"), {flux, {}, {}, PixelSize{32, 16}}},
          {"diffusers-npy", file("flux_packed.npy"), {flux, {}, LatentFormat::diffusers_npy, PixelSize{32, 16}}},
          {"dgenerate", file("dgenerate_flux.safetensors"), {flux, {}, {}, {}}},
          {"dgenerate, one picture", file("dgenerate_one.safetensors"), {sd15, {}, LatentFormat::dgenerate, {}}},
          {"npy", file("plain.npy"), {sd15, Units::vae, {}, {}}},
          {"npy, version 2", file("version2.npy"), {sd15, Units::vae, {}, {}}},
          {"npy, half floats", file("plain_f16.npy"), {sd15, Units::model, {}, {}}}};
}

bool is_npy(const std::string& file) { return file.starts_with("\x93NUMPY"); }

/// Where the numbers begin.
std::size_t numbers_begin(const std::string& file) {
  if (is_npy(file)) return file.find('\n') + 1;
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  return sizeof length + length;
}

/// Every bit turned round, and what ends or opens something for a reader of JSON, of Python's literals, of UTF-8.
std::vector<char> likely_values(char original) {
  std::vector<char> values = {'\0', '"', '\'', ',', '-', '9', '\\', '}', ' ', '\xff'};
  for (unsigned bit = 0; bit < 8; ++bit) {
    values.push_back(static_cast<char>(static_cast<unsigned char>(original) ^ (1U << bit)));
  }
  return values;
}

std::vector<char> all_values(char /*original*/) {
  std::vector<char> values;
  for (int value = 0; value < 256; ++value) values.push_back(static_cast<char>(value));
  return values;
}

/// Whether a change of the byte at `at` may leave the meaning: the text of "program", which nobody reads, blanks that
/// fill, the dtype of ComfyUI's empty marker, a comma that Python does not need, the version of .npy.
bool is_idle(const std::string& file, std::size_t at) {
  const std::string key = "\"program\":\"";
  const std::size_t begin = file.find(key);
  if (begin != std::string::npos && at >= begin + key.size() && at < file.find('"', begin + key.size())) return true;
  const std::string marker = "\"latent_format_version_0\":{\"dtype\":\"";
  const std::size_t dtype = file.find(marker);
  if (dtype != std::string::npos && at >= dtype + marker.size() && at < dtype + marker.size() + 3) return true;
  if (file[at] == ' ') return true;
  return is_npy(file) && (at == 6 || at + 1 == numbers_begin(file) || file.compare(at, 3, ", }") == 0);
}

/// "12: 255", for byte 12 that was changed to 255.
using ChangedBytes = std::set<std::string>;

/// What came of all damage done to one file.
struct Outcome {
  std::size_t tried = 0;
  std::size_t read = 0;
  ChangedBytes unnoticed;  ///< changed, and read as if they were not
  ChangedBytes broken;     ///< the reader ended in anything but an answer or an Error
};

template <typename Values>
Outcome damaged(const Sample& sample, const Values& values_for) {
  Outcome outcome;
  const LatentDocument whole = read_latent(as_bytes(sample.file), "a", sample.hints).document;
  std::string file = sample.file;
  for (std::size_t at = 0; at < numbers_begin(sample.file); ++at) {
    for (const char value : values_for(sample.file[at])) {
      if (value == sample.file[at]) continue;
      file[at] = value;
      const std::string change = std::to_string(at) + ": " + std::to_string(static_cast<unsigned char>(value));
      ++outcome.tried;
      try {
        if (!check_latent(as_bytes(file), sample.hints)) continue;
        ++outcome.read;
        const bool same = read_latent(as_bytes(file), "a", sample.hints).document == whole;
        if (same && !is_idle(sample.file, at)) outcome.unnoticed.insert(change);
      } catch (const std::exception&) {
        outcome.broken.insert(change);
      }
    }
    file[at] = sample.file[at];
  }
  return outcome;
}

template <typename Values>
void check_damage(const Values& values_for) {
  for (const Sample& sample : samples()) {
    const Outcome outcome = damaged(sample, values_for);
    CAPTURE(sample.name, outcome.tried, outcome.read);
    // NOLINTBEGIN(readability-container-size-empty): what is in them is told
    CHECK(outcome.unnoticed == ChangedBytes{});
    CHECK(outcome.broken == ChangedBytes{});
    // NOLINTEND(readability-container-size-empty)
    CHECK(2 * outcome.read < outcome.tried);
  }
}

}  // namespace

TEST_CASE("every format has a file to damage") {
  std::set<LatentFormat> formats;
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    formats.insert(read_latent(as_bytes(sample.file), "a", sample.hints).format);
    CHECK(check_latent(as_bytes(sample.file), sample.hints));
  }
  CHECK(formats.size() == latent_formats().size());
}

TEST_CASE("a header with one byte changed is refused, or read as it is written") { check_damage(likely_values); }

// A minute long: build/release/test_io "[every byte]"
TEST_CASE("a header with one byte changed to any other is refused, or read as it is written", "[.][every byte]") {
  check_damage(all_values);
}
