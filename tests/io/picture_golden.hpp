// What Pillow reads in the files of tests/data/pictures/golden, and what the reader under test does.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/file/sha256.hpp"
#include "io/picture/picture_reader.hpp"
#include "support.hpp"

namespace lapis::io::test {

/// The sha256 of pixels as RGBA.
inline std::string rgba_digest(const core::Pixels& pixels) {
  std::vector<std::uint8_t> rgba;
  const auto channels = static_cast<std::size_t>(pixels.channels);
  for (std::size_t i = 0; i < pixels.bytes.size(); i += channels) {
    const std::uint8_t* pixel = &pixels.bytes[i];
    for (std::size_t c = 0; c < 3; ++c) rgba.push_back(pixel[channels >= 3 ? c : 0]);
    rgba.push_back(channels % 2 == 0 ? pixel[channels - 1] : 255);
  }
  return sha256(std::as_bytes(std::span(rgba)));
}

/// Every file of `family`, by the whole door, against Pillow's pixels.
inline void check_golden(const std::string& family) {
  const nlohmann::json golden = nlohmann::json::parse(read_text(lapis::test::folder() / "golden" / "pictures.json"));
  int found = 0;
  for (const nlohmann::json& row : golden.at("cases")) {
    if (row.at("family") != family) continue;
    ++found;
    const std::string name = row.at("file");
    INFO(name);
    const std::string file = read_text(data_file("pictures/golden/" + name));
    const PictureFacts facts = read_picture_facts(as_bytes(file), name);
    CHECK(facts.width == row.at("width"));
    CHECK(facts.height == row.at("height"));
    const core::Pixels pixels = read_pixels(as_bytes(file), facts, name);
    CHECK(pixels.channels == facts.channels);
    CHECK(rgba_digest(pixels) == row.at("sha256"));
  }
  CHECK(found > 0);
}

}  // namespace lapis::io::test
