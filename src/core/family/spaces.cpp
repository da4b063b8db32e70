#include "core/family/spaces.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

using Colours = std::vector<std::array<double, 3>>;

const char* const comfy_formats = "ComfyUI, comfy/latent_formats.py";
const char* const measured = "scripts/train/fit_preview.py";

// clang-format off
Colours sd15_colours() {
  return {
      {0.3512, 0.2297, 0.3227}, {0.3250, 0.4974, 0.2350}, {-0.2829, 0.1762, 0.2721}, {-0.2120, -0.2616, -0.7177}};
}

Colours sdxl_colours() {
  return {
      {0.3651, 0.4232, 0.4341}, {-0.2533, -0.0042, 0.1068}, {0.1076, 0.1111, -0.0362}, {-0.3165, -0.2492, -0.2188}};
}

Colours sd3_colours() {
  return {
      {-0.0922, -0.0175, 0.0749}, {0.0311, 0.0633, 0.0954}, {0.1994, 0.0927, 0.0458}, {0.0856, 0.0339, 0.0902},
      {0.0587, 0.0272, -0.0496}, {-0.0006, 0.1104, 0.0309}, {0.0978, 0.0306, 0.0427}, {-0.0042, 0.1038, 0.1358},
      {-0.0194, 0.0020, 0.0669}, {-0.0488, 0.0130, -0.0268}, {0.0922, 0.0988, 0.0951}, {-0.0278, 0.0524, -0.0542},
      {0.0332, 0.0456, 0.0895}, {-0.0069, -0.0030, -0.0810}, {-0.0596, -0.0465, -0.0293}, {-0.1448, -0.1463, -0.1189}};
}

Colours flux_colours() {
  return {
      {-0.0346, 0.0244, 0.0681}, {0.0034, 0.0210, 0.0687}, {0.0275, -0.0668, -0.0433}, {-0.0174, 0.0160, 0.0617},
      {0.0859, 0.0721, 0.0329}, {0.0004, 0.0383, 0.0115}, {0.0405, 0.0861, 0.0915}, {-0.0236, -0.0185, -0.0259},
      {-0.0245, 0.0250, 0.1180}, {0.1008, 0.0755, -0.0421}, {-0.0515, 0.0201, 0.0011}, {0.0428, -0.0012, -0.0036},
      {0.0817, 0.0765, 0.0749}, {-0.1264, -0.0522, -0.1103}, {-0.0280, -0.0881, -0.0499}, {-0.1262, -0.0982, -0.0778}};
}

/// The space of Wan 2.1's VAE, which is Qwen-Image's too; one frame of it is a picture.
Space wan21() {
  Space space{"wan21", 16, 8, 1, 0, "wan21"};
  space.mean = {
      -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922,
      -0.9497, 0.2503, -0.2921};
  space.deviation = {
      2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253,
      2.8251, 1.9160};
  return space;
}

std::vector<SpaceRow> space_table() {
  return {
      // id             channels 1/downscale scale    shift   lineage   packing
      {{"sd15",        4,       8,          0.18215, 0,      "sd15"},  1, "SD1.x, SVD, PixArt-alpha", "vae/config.json"},
      {{"sd2",         4,       8,          0.18215, 0,      "sd15"},  1, "SD2.x", "vae/config.json; SD1's VAE, ft-mse"},
      {{"sdxl",        4,       8,          0.13025, 0,      "sdxl"},  1, "SDXL, AuraFlow, PixArt-Sigma, HunyuanDiT", "vae/config.json"},
      {{"playground25", 4,      8,          0.5,     0,      "sdxl",
        {-1.6574, 1.886, -1.383, 2.5155}, {8.4927, 5.9022, 6.5498, 5.2299}}, 1, "Playground 2.5", comfy_formats},
      {{"sd_x4",       4,       4,          0.08333, 0,      "sd_x4"}, 1, "SD x4 upscaler", comfy_formats},
      {{"cascade_b",   4,       4,          1 / 0.43, 0,     "cascade_b"}, 1, "Stable Cascade, stage B", comfy_formats},
      {{"sd3",         16,      8,          1.5305,  0.0609, "sd3"},   1, "SD3, SD3.5", "vae/config.json"},
      {{"flux",        16,      8,          0.3611,  0.1159, "flux"},  2, "Flux.1, Chroma, HiDream, Lumina2, Z-Image", "vae/config.json"},
      {{"hunyuanimage21", 64,   32,         0.75289, 0,      "hunyuanimage21"}, 1, "HunyuanImage 2.1", comfy_formats},
      {wan21(), 1, "Wan2.1, Qwen-Image (one frame)", comfy_formats},
  };
}

std::vector<LineageRow> lineage_table() {
  return {
      {"sd15", "sd15", sd15_colours(), {0, 0, 0}, {}, comfy_formats},
      {"sdxl", "sdxl", sdxl_colours(), {0.1084, -0.0175, -0.0011}, {}, comfy_formats},
      {"sd3", "sd3", sd3_colours(), {0.2394, 0.2135, 0.1925}, {}, comfy_formats},
      {"flux", "flux", flux_colours(), {-0.0329, -0.0718, -0.0851}, {}, comfy_formats},
      {"tiny-sd15", "sd15",
       {{0.1533, 0.3383, 0.5133}, {0.3475, 0.0704, 0.1222}, {0.3283, 0.0896, -0.0194}, {-0.2516, -0.3019, 0.0650}},
       {0.1802, 0.0843, 0.1597},
       {{-0.0146, 0.9470}, {-0.0444, 1.0337}, {-0.0235, 1.0022}, {-0.0184, 1.0505}},
       measured},
      {"tiny-sdxl", "sdxl",
       {{0.3908, -0.0048, -0.2810}, {-0.1987, -0.3908, -0.0589}, {0.2489, 0.1356, 0.1382}, {-0.2905, -0.2107, -0.4134}},
       {0.1645, 0.0081, 0.0666},
       {{0.0136, 0.9829}, {0.0001, 1.0390}, {-0.0090, 1.0244}, {0.0117, 1.0204}},
       measured},
      {"tiny-flux", "flux",
       {{0.0907, 0.0686, 0.0346}, {-0.0246, -0.0826, -0.0472}, {0.0453, 0.1007, 0.1254}, {0.1090, 0.0496, -0.0083},
        {-0.0009, 0.0466, 0.1281}, {0.0017, -0.0065, 0.0800}, {-0.0745, -0.0692, -0.0261}, {0.0469, 0.0122, -0.0080},
        {0.1230, 0.0627, 0.0341}, {0.0595, -0.0721, -0.0831}, {0.0444, 0.0757, -0.0395}, {-0.0374, -0.0572, 0.0031},
        {-0.0466, 0.0276, 0.0701}, {0.1384, -0.0340, 0.0249}, {-0.0531, 0.0271, -0.0638}, {-0.0173, -0.0282, 0.0028}},
       {0.1185, -0.0342, 0.0607},
       {{0.0776, 0.9395}, {-0.0592, 0.7901}, {0.0317, 1.0916}, {0.0950, 1.1531},
        {-0.0495, 1.0836}, {0.0044, 1.2272}, {-0.0409, 0.5144}, {0.0274, 1.0088},
        {0.1062, 1.4450}, {0.0441, 0.9332}, {0.1349, 1.3178}, {-0.0617, 0.6596},
        {0.0309, 1.0044}, {0.0154, 1.1645}, {0.0706, 0.9349}, {-0.0024, 0.3763}},
       measured},
  };
}
// clang-format on

}  // namespace

std::span<const SpaceRow> spaces() {
  static const std::vector<SpaceRow> rows = space_table();
  return rows;
}

std::span<const LineageRow> lineages() {
  static const std::vector<LineageRow> rows = lineage_table();
  return rows;
}

const SpaceRow* find_space(std::string_view id) {
  const auto row = std::ranges::find_if(spaces(), [&](const SpaceRow& each) { return each.space.id == id; });
  return row == spaces().end() ? nullptr : &*row;
}

const LineageRow* find_lineage(std::string_view name) {
  const auto row = std::ranges::find(lineages(), name, &LineageRow::name);
  return row == lineages().end() ? nullptr : &*row;
}

std::string space_name(const Space& space) {
  return space.lineage.empty() || space.lineage == space.id ? space.id : space.id + ":" + space.lineage;
}

Space parse_space(std::string_view name) {
  const std::size_t colon = name.find(':');
  const std::string id(name.substr(0, colon));
  if (const SpaceRow* row = find_space(id)) {
    Space space = row->space;
    if (colon != std::string_view::npos) space.lineage = name.substr(colon + 1);
    if (!space.lineage.empty()) return space;
    throw Error(ErrorKind::usage, sentence("\"{}\" names no lineage after its colon", name));
  }
  std::vector<std::string> ids;
  for (const SpaceRow& row : spaces()) ids.push_back(row.space.id);
  throw Error(ErrorKind::usage,
              sentence("there is no space \"{}\"; expected one of {}{}", id, joined(ids), guess(id, ids)));
}

std::string space_numbers(const Space& space) {
  std::vector<std::string> numbers = {
      sentence("{} ch, 1/{}, scale {}", space.channels, space.downscale, number_text(space.scale))};
  if (space.shift != 0) numbers.push_back(sentence("shift {}", number_text(space.shift)));
  if (!space.mean.empty()) numbers.push_back(sentence("means {} ...", number_text(space.mean.front())));
  numbers.push_back(sentence("lineage {}", space.lineage.empty() ? "not said" : space.lineage));
  return joined(numbers);
}

std::vector<std::string> spaces_with_numbers(const Space& space) {
  std::vector<std::string> ids;
  for (const SpaceRow& row : spaces()) {
    Space numbers = row.space;
    numbers.id = space.id;
    numbers.lineage = space.lineage;
    if (numbers == space) ids.push_back(row.space.id);
  }
  return ids;
}

bool same_values(const Space& a, const Space& b) {
  return a.channels == b.channels && a.downscale == b.downscale && a.lineage == b.lineage;
}

bool same_numbers(const Space& a, const Space& b) {
  return same_values(a, b) && a.scale == b.scale && a.shift == b.shift && a.mean == b.mean &&
         a.deviation == b.deviation;
}

}  // namespace lapis::core
