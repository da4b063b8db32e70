#include "core/checkpoint/lora_shapes.hpp"

#include <array>
#include <string_view>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

struct KindRow {
  DeltaKind kind;
  std::string_view beginning;  ///< of its roles
};

/// More than any layer has; of fewer, products do not overflow.
constexpr std::int64_t most_numbers = std::int64_t{1} << 31U;

/// The first that any of a module's roles begins with.
constexpr std::array factor_kinds = {
    KindRow{DeltaKind::lora, "down"},  KindRow{DeltaKind::lora, "up"},   KindRow{DeltaKind::loha, "hada_"},
    KindRow{DeltaKind::lokr, "lokr_"}, KindRow{DeltaKind::full, "diff"},
};

/// The factors of one module, with errors that name it.
class Factors {
 public:
  Factors(const LoraTensors& tensors, const std::string& what) : tensors_(tensors), what_(what) {}

  bool has(const std::string& role) const { return tensors_.contains(role); }

  /// A factor that must be there and be a matrix, or a kernel.
  const std::vector<std::int64_t>& shape(const std::string& role) const {
    const auto found = tensors_.find(role);
    if (found == tensors_.end()) {
      throw Error(ErrorKind::input, sentence("{} lacks its factor \"{}\".", what_, role),
                  "It was written wrongly, or in a way that lapis does not know: take another export of it");
    }
    const std::vector<std::int64_t>& shape = found->second->shape;
    const std::int64_t count = count_of(shape);
    if (shape.size() < 2 || count == 0 || count > most_numbers)
      refuse(sentence("{} is {}", role, shape_text(shape)), "expected a matrix");
    return shape;
  }

  std::int64_t rows(const std::string& role) const { return shape(role)[0]; }
  std::int64_t columns(const std::string& role) const { return count_of(shape(role)) / rows(role); }

  void expect_ranks(const std::string& one, std::int64_t rank, const std::string& other, std::int64_t others) const {
    if (rank == others) return;
    refuse(sentence("{} is of rank {} and {} of rank {}", one, rank, other, others), "expected the same");
  }

  [[noreturn]] void refuse(const std::string& found, const std::string& expected) const {
    throw Error(ErrorKind::input, sentence("{}: {}; {}.", what_, found, expected),
                "It was written wrongly, or in a way that lapis does not know: take another export of it");
  }

  /// a @ b: `a` [rows, rank], `b` [rank, columns]; through a core t [rank, rank, kernel]: `a` [rank, rows], and the
  /// kernel's places go to the columns.
  LoraProduct pair(const std::string& a, const std::string& b, const std::string& core) const {
    if (!has(core)) {
      expect_ranks(a, columns(a), b, rows(b));
      return {rows(a), columns(b), rows(b)};
    }
    const std::vector<std::int64_t>& inner = shape(core);
    expect_ranks(a, rows(a), core, inner[0]);
    expect_ranks(b, rows(b), core, inner[1]);
    return {columns(a), columns(b) * (count_of(inner) / (inner[0] * inner[1])), rows(b)};
  }

 private:
  const LoraTensors& tensors_;
  const std::string& what_;
};

LoraProduct lora_product(const Factors& factors) {
  if (!factors.has("mid")) return factors.pair("up", "down", "");
  const std::vector<std::int64_t>& mid = factors.shape("mid");
  factors.expect_ranks("up", factors.columns("up"), "mid", mid[0]);
  factors.expect_ranks("down", factors.rows("down"), "mid", mid[1]);
  return {factors.rows("up"), factors.columns("down") * (count_of(mid) / (mid[0] * mid[1])), factors.rows("down")};
}

LoraProduct loha_product(const Factors& factors) {
  const LoraProduct one = factors.pair("hada_w1_a", "hada_w1_b", "hada_t1");
  const LoraProduct other = factors.pair("hada_w2_a", "hada_w2_b", "hada_t2");
  if (one.rows != other.rows || one.columns != other.columns) {
    factors.refuse(
        sentence("its two products are [{}, {}] and [{}, {}]", one.rows, one.columns, other.rows, other.columns),
        "expected one shape");
  }
  return one;
}

LoraProduct lokr_product(const Factors& factors) {
  const auto side = [&](const std::string& name, const std::string& core) -> LoraProduct {
    if (factors.has(name)) return {factors.rows(name), factors.columns(name), std::nullopt};
    return factors.pair(name + "_a", name + "_b", core);
  };
  const LoraProduct one = side("lokr_w1", "");
  const LoraProduct other = side("lokr_w2", "lokr_t2");
  return {one.rows * other.rows, one.columns * other.columns, other.rank ? other.rank : one.rank};
}

}  // namespace

std::optional<LoraFactors> lora_factors(const LoraTensors& tensors) {
  for (const KindRow& row : factor_kinds) {
    LoraFactors factors{row.kind, {}};
    bool any = false;
    for (const auto& [role, tensor] : tensors) {
      const bool own = role.starts_with(row.beginning) && role != "diff_b";
      const bool half = row.kind == DeltaKind::lora && (role == "down" || role == "up" || role == "mid");
      if (own || half || role == "dora_scale" || role == "magnitude") factors.tensors.emplace(role, tensor);
      any = any || own;
    }
    if (any) return factors;
  }
  return std::nullopt;
}

LoraProduct product_of(const LoraFactors& factors, const std::string& what) {
  const Factors of(factors.tensors, what);
  switch (factors.kind) {
    case DeltaKind::lora: return lora_product(of);
    case DeltaKind::loha: return loha_product(of);
    case DeltaKind::lokr: return lokr_product(of);
    case DeltaKind::full: break;
  }
  const std::vector<std::int64_t>& shape = factors.tensors.at("diff")->shape;
  if (shape.empty() || count_of(shape) <= 0) {
    of.refuse(sentence("diff is {}", shape_text(shape)), "expected a weight's shape");
  }
  return {shape[0], count_of(shape) / shape[0], std::nullopt};
}

}  // namespace lapis::core
