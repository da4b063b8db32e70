#include "io/model/weight_check.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <future>
#include <map>
#include <set>
#include <utility>

#include "core/text/sentence.hpp"

namespace lapis::io {
namespace {

/// The bits that in a number of a floating type are all set in NaN and infinity, and in no other.
struct NotFinite {
  Dtype dtype;
  std::uint64_t bits;
};

constexpr std::array not_finite = {
    NotFinite{Dtype::f64, 0x7FF0'0000'0000'0000},
    NotFinite{Dtype::f32, 0x7F80'0000},
    NotFinite{Dtype::f16, 0x7C00},
    NotFinite{Dtype::bf16, 0x7F80},
    NotFinite{Dtype::f8_e5m2, 0x7C},
    NotFinite{Dtype::f8_e4m3, 0x7F},
};

/// Looks a block at a time, so that the loop over the many finite ones has no way out and runs on vectors.
template <class Word>
std::optional<std::size_t> first_with(const std::byte* data, std::size_t count, Word bits) {
  constexpr std::size_t block = 4096;
  const auto at = [&](std::size_t i) {
    Word word;
    std::memcpy(&word, data + i * sizeof word, sizeof word);
    return (word & bits) == bits;
  };
  for (std::size_t begin = 0; begin < count; begin += block) {
    const std::size_t end = std::min(count, begin + block);
    bool found = false;
    for (std::size_t i = begin; i < end; ++i) found |= at(i);
    if (!found) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (at(i)) return i;
    }
  }
  return std::nullopt;
}

using Prefixes = std::set<std::string>;

WeightFaults faults_in(const std::filesystem::path& path, const Prefixes& prefixes) {
  const SafetensorsFile file(path, ErrorKind::model, stray_checkpoint_bytes);
  WeightFaults faults;
  for (const auto& [name, view] : file.tensors()) {
    const bool counts =
        std::ranges::any_of(prefixes, [&name = name](const std::string& each) { return name.starts_with(each); });
    if (!counts) continue;
    if (const auto place = first_not_finite(view)) faults.add(name, *place);
  }
  if (faults.count > 0) faults.first = core::sentence("{}: {}", path.string(), faults.first);
  return faults;
}

}  // namespace

bool is_weight_dtype(Dtype dtype) {
  return std::ranges::find(not_finite, dtype, &NotFinite::dtype) != not_finite.end();
}

std::optional<std::size_t> first_not_finite(const TensorView& view, std::size_t most) {
  const auto* const row = std::ranges::find(not_finite, view.dtype, &NotFinite::dtype);
  if (row == not_finite.end()) return std::nullopt;
  const std::size_t width = dtype_bits(view.dtype) / 8;
  const std::size_t count = std::min(most, view.data.size() / width);
  const std::byte* data = view.data.data();
  switch (width) {
    case 1: return first_with(data, count, static_cast<std::uint8_t>(row->bits));
    case 2: return first_with(data, count, static_cast<std::uint16_t>(row->bits));
    case 4: return first_with(data, count, static_cast<std::uint32_t>(row->bits));
    default: return first_with(data, count, row->bits);
  }
}

void WeightFaults::add(const std::string& name, std::size_t place) {
  if (count++ == 0) first = core::sentence("tensor {} is NaN or infinite at its number {}", name, place);
}

void WeightFaults::add(const WeightFaults& more) {
  if (count == 0) first = more.first;
  count += more.count;
}

WeightFaults faults_in_weights(const Model& model) {
  std::map<std::filesystem::path, Prefixes> files;
  for (const auto& [name, part] : model.parts) {
    for (const std::filesystem::path& file : part.weights) files[file].insert(part.prefix);
  }
  const std::vector<std::pair<std::filesystem::path, Prefixes>> all(files.begin(), files.end());
  const auto every_second = [&all](std::size_t first) {
    WeightFaults sum;
    for (std::size_t i = first; i < all.size(); i += 2) {
      sum.add(faults_in(all[i].first, all[i].second));
    }
    return sum;
  };
  std::future<WeightFaults> odd = std::async(std::launch::async, every_second, 1);
  WeightFaults sum = every_second(0);
  sum.add(odd.get());
  return sum;
}

}  // namespace lapis::io
