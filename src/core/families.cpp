#include "core/families.hpp"

#include <algorithm>
#include <array>

namespace lapis::core {
namespace {

// clang-format off
std::vector<PartRow> sd15_parts() {
  return {
      {"text_encoder", true,
       {{"ids",         "i64",   {"batch", "tokens"}}},
       {{"states",      "model", {"layers", "batch", "tokens", "width"}},
        {"normed",      "model", {"layers", "batch", "tokens", "width"}},
        {"pooled",      "model", {"batch", "width"}}}},
      {"denoiser", true,
       {{"sample",      "model", {"batch", 4, "height", "width"}},
        {"timestep",    "f32",   {"batch"}},
        {"context",     "model", {"batch", "tokens", "width"}}},
       {{"prediction",  "model", {"batch", 4, "height", "width"}}}},
      {"vae_decoder", true,
       {{"latent",      "model", {"batch", 4, "height", "width"}}},
       {{"picture",     "model", {"batch", 3, "8*height", "8*width"}}}},
      {"vae_encoder", false,
       {{"picture",     "model", {"batch", 3, "height", "width"}}},
       {{"mean",        "model", {"batch", 4, "height/8", "width/8"}},
        {"logvar",      "model", {"batch", 4, "height/8", "width/8"}}}},
  };
}
// clang-format on

template <typename Row>
const Row* find_row(std::span<const Row> rows, std::string_view wanted, std::string Row::*name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.*name == wanted; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Space> spaces() {
  // clang-format off
  static const std::array<Space, 1> rows = {{
      // id    channels  downscale  scale    shift  lineage
      {"sd15", 4,        8,         0.18215, 0,     ""},
  }};
  // clang-format on
  return rows;
}

std::span<const FamilyRow> families() {
  static const std::array<FamilyRow, 1> rows = {{
      {
          .name = "sd15",
          .architecture = Architecture::sd15,
          .space = "sd15",
          .size_multiple = 8,
          .predictions = {Prediction::epsilon, Prediction::v},
          .tokenizers = {"tokenizer"},
          .clip_skip = 1,
          .parts = sd15_parts(),
          .shared_sizes = {{"text_encoder", "normed", 3, "denoiser", "context", 2}},
      },
  }};
  return rows;
}

const Space* find_space(std::string_view id) { return find_row(spaces(), id, &Space::id); }

const FamilyRow* find_family(std::string_view name) { return find_row(families(), name, &FamilyRow::name); }

const PartRow* find_part(const FamilyRow& family, std::string_view name) {
  return find_row(std::span<const PartRow>(family.parts), name, &PartRow::name);
}

}  // namespace lapis::core
