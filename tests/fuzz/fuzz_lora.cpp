#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/lora_keys.hpp"
#include "core/checkpoint/lora_plan.hpp"
#include "input.hpp"
#include "io/checkpoint/lora_files.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

using namespace lapis;

namespace {

constexpr std::array endings = {".lora_down.weight",
                                ".lora_up.weight",
                                ".lora_mid.weight",
                                ".alpha",
                                ".lora_A.weight",
                                ".lora_B.weight",
                                ".lora_B.bias",
                                ".lora.down.weight",
                                ".lora.up.weight",
                                ".diff",
                                ".diff_b",
                                ".w_norm",
                                ".b_norm",
                                ".dora_scale",
                                ".lora_magnitude_vector",
                                ".hada_w1_a",
                                ".hada_w1_b",
                                ".hada_w2_a",
                                ".hada_w2_b",
                                ".hada_t1",
                                ".hada_t2",
                                ".lokr_w1",
                                ".lokr_w1_a",
                                ".lokr_w1_b",
                                ".lokr_w2",
                                ".lokr_w2_a",
                                ".lokr_w2_b",
                                ".lokr_t2",
                                ".weight",
                                ".bias",
                                ".oft_blocks",
                                ".lora_A.default.weight",
                                "_lora.down.weight",
                                ".lora_up.bias",
                                ".on_input",
                                "_lora1.up.weight"};
constexpr std::array dtypes = {"F16", "F32", "BF16", "F64", "F8_E4M3", "F8_E5M2", "I8", "I64", "U8", "BOOL"};
constexpr std::array<std::int64_t, 12> sides = {1, 2, 4, 8, 3, 0, 16, 64, 128, 320, 384, 512};

struct KnownModule {
  std::string name;  ///< with dots
  std::vector<std::int64_t> shape;
};

struct Target {
  core::LoraModel model;
  std::vector<KnownModule> modules;
};

Target target_of(core::LoraModel model) {
  std::map<std::string, std::vector<std::int64_t>> seen;
  for (const core::LoraPart& part : model.parts) {
    for (const core::KeySchemeRow& row : core::key_schemes()) {
      if (!core::applies(row.key_scheme, part.parameters)) continue;
      for (const core::TensorShape& tensor : core::checkpoint_tensors(row.key_scheme, part.parameters)) {
        seen.emplace(tensor.name.substr(0, tensor.name.rfind('.')), tensor.shape);
      }
    }
  }
  Target target{std::move(model), {}};
  for (auto& [module, shape] : seen) target.modules.push_back({module, shape});
  return target;
}

/// Each of three models, and each of their parts alone, which takes less time.
std::vector<Target> targets() {
  std::vector<Target> all;
  for (const char* name : {"tiny-sd15", "tiny-sdxl", "tiny-flux"}) {
    const Model model = io::read_model(test::models() / name);
    const core::LoraModel whole = io::lora_model(model);
    all.push_back(target_of(whole));
    for (const core::LoraPart& part : whole.parts) all.push_back(target_of({whole.name, whole.family, {part}}));
  }
  return all;
}

/// The shape that a tensor of this ending has, or one of the fuzzer's.
std::vector<std::int64_t> shape_of(const KnownModule& module, std::string_view ending, test::Choices& choices) {
  const std::size_t how = choices.byte();
  const auto rank = static_cast<std::int64_t>(how % 4 + 1);
  std::vector<std::int64_t> shape = module.shape;
  if (how >= 192) {
    shape.clear();
    for (std::size_t i = how % 6; i > 0; --i) shape.push_back(choices.one_of(sides));
    return shape;
  }
  if (ending == ".alpha") return {};
  const bool down = ending.find("own.") != std::string_view::npos || ending.find("_A") != std::string_view::npos;
  const bool up = ending.find("up.") != std::string_view::npos || ending.find("_B") != std::string_view::npos;
  if (ending.ends_with("bias") || ending.ends_with("_b")) return {shape.front()};
  if (down) shape.front() = rank;
  if (up) shape.assign({shape.front(), rank});
  if (up && module.shape.size() == 4) shape.insert(shape.end(), {1, 1});
  return shape;
}

/// A tensor's name and itself: of a module under one of its names, or of no module.
std::pair<std::string, test::MadeTensor> made_tensor(const Target& target, test::Choices& choices) {
  const std::size_t how = choices.byte();
  KnownModule module = choices.one_of(target.modules);
  const core::LoraPrefix& prefix = choices.one_of(core::lora_prefixes());
  const std::string_view ending = choices.one_of(endings);
  std::string name = how % 16 == 15 ? choices.text() : module.name;
  if (prefix.underscored != (how % 16 == 14)) std::replace(name.begin(), name.end(), '.', '_');
  test::MadeTensor tensor{choices.one_of(dtypes), shape_of(module, ending, choices)};
  if (how >= 128) tensor.numbers = choices.text();
  return {std::string(prefix.prefix) + name + std::string(ending), tensor};
}

void check(const core::LoraPlan& plan, const core::LoraModel& model) {
  for (const auto& [part, delta] : plan.deltas) {
    const core::TensorShape* parameter = nullptr;
    for (const core::LoraPart& each : model.parts) {
      for (const core::TensorShape& tensor : each.parameters) {
        if (each.name == part && tensor.name == delta.parameter) parameter = &tensor;
      }
    }
    if (parameter == nullptr) __builtin_trap();
    std::int64_t rows = 0;
    for (const auto& [first, count] : delta.rows) {
      if (first < 0 || count < 1) __builtin_trap();
      rows += count;
    }
    if (!delta.rows.empty() && rows != parameter->shape.front()) __builtin_trap();
  }
}

}  // namespace

/// LoRAs whose names are mostly those of a model's modules, for each of three families.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Target> all = targets();
  test::Choices choices(data, size);
  const Target& target = choices.one_of(all);
  std::map<std::string, test::MadeTensor> tensors;
  std::map<std::string, std::string> metadata;
  const std::size_t annotated = choices.byte();
  if (annotated % 4 == 1) metadata["lora_adapter_metadata"] = choices.text() + choices.text();
  while (!choices.end() && tensors.size() < 100) tensors.insert(made_tensor(target, choices));
  try {
    const test::MadeFile file(tensors, metadata);
    check(core::plan_lora(io::read_lora(file.path()).file, target.model, {}), target.model);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::incompatible) __builtin_trap();
  }
  return 0;
}
