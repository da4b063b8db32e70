// Latents for test_latent_format.py, written and read by the program's own code.
//
//   latent_samples write FOLDER    writes NAME.safetensors for each sample
//   latent_samples read FILE...    prints a line for each: "ok", or the kind and the text of the error
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "io/file/atomic_file.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/error.hpp"

namespace {

using namespace lapis;

/// Number i is i / 8 - 3.
io::LatentDocument sample(const std::string& space, const std::array<std::int64_t, 4>& shape) {
  io::LatentDocument document;
  document.passport.space = core::parse_space(space);
  document.passport.shape = shape;
  document.values.resize(static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]));
  for (std::size_t i = 0; i < document.values.size(); ++i) document.values[i] = static_cast<float>(i) / 8 - 3;
  return document;
}

std::map<std::string, io::LatentDocument> samples() {
  std::map<std::string, io::LatentDocument> all;
  all["plain"] = sample("sd15:tiny-sd15", {2, 4, 3, 2});
  all["half"] = sample("sdxl", {1, 4, 2, 2});
  all["half"].passport.dtype = LatentDtype::f16;
  all["half"].passport.units = Units::vae;
  all["brain"] = sample("wan21", {1, 16, 1, 1});
  all["brain"].passport.dtype = LatentDtype::bf16;
  io::LatentDocument& full = all["full"] = sample("flux", {1, 16, 2, 2});
  full.passport.vae_sha256 = std::string(64, 'a');
  full.passport.job = R"({"version":"0.1","job":{"prompt":"a lake, día \"人生\""}})";
  full.passport.history = {{"re-encode", "sdxl", "flux", {16, 16}, 31.25},
                           {"re-encode", "sd15", "sdxl", {16, 16}, std::numeric_limits<double>::infinity()},
                           {"re-encode", "flux", "sd15", {16, 16}, {}}};
  full.extra = {{"x-note", "somebody's own"}};
  io::LatentDocument& partial = all["partial"] = sample("flux", {1, 16, 2, 2});
  partial.passport.sigma = 0.625;
  partial.passport.path = Path::flow;
  partial.passport.step = 7;
  partial.passport.draws = 8;
  partial.memory = {partial.values, partial.values};
  all["own"] = sample("sd15", {1, 4, 2, 2});
  all["own"].passport.space = {"own", 4, 4, 0.5, -0.125, "my-vae"};
  return all;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  try {
    io::parse_latent(std::as_bytes(std::span(bytes)), "file");
    return "ok";
  } catch (const Error& error) {
    return std::to_string(exit_code(error.kind())) + " " + std::string(error.what()).substr(0, 200);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 2 && words[0] == "write") {
    for (const auto& [name, document] : samples()) {
      io::write_file(std::filesystem::path(words[1]) / (name + ".safetensors"), io::latent_bytes(document), true);
    }
    return 0;
  }
  if (words.size() < 2 || words[0] != "read") return 2;
  for (std::size_t i = 1; i < words.size(); ++i) {
    std::string line = read(words[i]);
    for (char& c : line) c = c == '\n' ? ' ' : c;
    std::cout << line << '\n';
  }
  return 0;
}
