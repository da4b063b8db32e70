#include "engine/deltas.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <cstring>
#include <optional>

#include "core/text/sentence.hpp"
#include "engine/dtypes.hpp"
#include "engine/scaled.hpp"
#include "io/checkpoint/scale_reader.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// A copy: files do not align their tensors.
at::Tensor copied(const io::TensorView& view, at::ScalarType type) {
  at::Tensor copy = at::empty(view.shape, at::TensorOptions().dtype(type));
  std::memcpy(copy.mutable_data_ptr(), view.data.data(), view.data.size());
  return copy;
}

/// The factors of one delta.
class Factors {
 public:
  Factors(const Delta& delta, const FactorFile& file) : delta_(delta), file_(file) {}

  bool has(const std::string& role) const { return delta_.tensors.contains(role); }

  at::Tensor tensor(const std::string& role) const {
    const std::string& name = delta_.tensors.at(role);
    const io::TensorView& view = find(name);
    const std::string file = delta_.file.string();
    const auto scale = file_.scales.weights.find(name);
    const bool quantized = scale != file_.scales.weights.end();
    const std::optional<at::ScalarType> type =
        quantized && scale->second.integers ? std::optional(at::kChar) : scalar_type(view.dtype);
    if (!type) {
      throw Error(ErrorKind::input,
                  core::sentence("{}: tensor {} is {}; a LoRA's must be F32, F16, BF16, F64 or F8.", file, name,
                                 io::dtype_name(view.dtype)),
                  "Save it so");
    }
    const at::Tensor stored = copied(view, *type);
    const auto scales = [&] {
      return io::scale_numbers(scale->second, [&](const auto& each) -> const io::TensorView& { return find(each); });
    };
    at::Tensor numbers = quantized ? scaled(stored, {}, scale->second, scales()) : stored.to(at::kFloat);
    if (at::isfinite(numbers).all().item<bool>()) return numbers;
    throw Error(ErrorKind::input, core::sentence("{}: tensor {} holds NaN or infinity.", file, name),
                "It was trained to that, or is damaged: take another");
  }

  /// A factor as the matrix of its first dimension and all others.
  at::Tensor matrix(const std::string& role) const { return tensor(role).flatten(1); }

  /// a @ b, or through the core where there is one; see deltas.hpp.
  at::Tensor pair(const std::string& a, const std::string& b, const std::string& core) const {
    if (!has(core)) return at::matmul(matrix(a), matrix(b));
    return through(tensor(core), matrix(a).t(), matrix(b));
  }

  /// rows [rows, i], core [i, j, kernel ...], columns [j, columns] -> [rows, columns x kernel].
  static at::Tensor through(const at::Tensor& core, const at::Tensor& rows, const at::Tensor& columns) {
    const at::Tensor inner = at::matmul(rows, core.flatten(1)).view({rows.size(0), core.size(1), -1});
    return at::matmul(inner.transpose(1, 2), columns).transpose(1, 2).flatten(1);
  }

  /// One side of a Kronecker product, whole or of two factors.
  at::Tensor side(const std::string& name, const std::string& core) const {
    return has(name) ? matrix(name) : pair(name + "_a", name + "_b", core);
  }

 private:
  const io::TensorView& find(const std::string& name) const {
    if (const io::TensorView* view = file_.tensors->find(name)) return *view;
    throw Error(ErrorKind::input, core::sentence("{} has changed since it was read. Try again", delta_.file.string()));
  }

  const Delta& delta_;
  const FactorFile& file_;
};

/// one [a, b], other [c, d] -> [a c, b d].
at::Tensor kronecker(const at::Tensor& one, const at::Tensor& other) {
  const at::Tensor blocks =
      one.view({one.size(0), 1, one.size(1), 1}) * other.view({1, other.size(0), 1, other.size(1)});
  return blocks.reshape({one.size(0) * other.size(0), one.size(1) * other.size(1)});
}

/// The rows that a delta takes of what its module gets.
at::Tensor rows_of(const at::Tensor& whole, const Delta& delta) {
  if (delta.rows.empty()) return whole;
  std::vector<at::Tensor> pieces;
  for (const auto& [first, count] : delta.rows) pieces.push_back(whole.narrow(0, first, count));
  return pieces.size() == 1 ? pieces.front() : at::cat(pieces);
}

/// What is added before it is scaled, but for a plain LoRA.
at::Tensor product_of(const Factors& factors, const Delta& delta) {
  switch (delta.kind) {
    case DeltaKind::lora: return Factors::through(factors.tensor("mid"), factors.matrix("up"), factors.matrix("down"));
    case DeltaKind::loha:
      return factors.pair("hada_w1_a", "hada_w1_b", "hada_t1") * factors.pair("hada_w2_a", "hada_w2_b", "hada_t2");
    case DeltaKind::lokr: return kronecker(factors.side("lokr_w1", ""), factors.side("lokr_w2", "lokr_t2"));
    case DeltaKind::full: break;
  }
  const at::Tensor diff = factors.tensor("diff");
  return diff.dim() > 1 ? diff.flatten(1) : diff.unsqueeze(1);
}

/// DoRA: `weight` [rows, columns], whose rows or columns get the lengths that were trained.
at::Tensor with_magnitude(const at::Tensor& weight, at::IntArrayRef shape, const at::Tensor& magnitude, bool by_row,
                          const Delta& delta) {
  constexpr double least = 1e-30;  // rows of zeros stay so
  if (by_row) {
    const at::Tensor norm = at::linalg_vector_norm(weight, 2, at::IntArrayRef{1}).clamp_min(least);
    return weight * (rows_of(magnitude.flatten(), delta) / norm).unsqueeze(1);
  }
  const at::Tensor kernels = weight.view({weight.size(0), shape[1], -1});
  const at::Tensor norm = at::linalg_vector_norm(kernels, 2, at::IntArrayRef{0, 2}).clamp_min(least);
  return (kernels * (magnitude.flatten() / norm).view({1, -1, 1})).view(weight.sizes());
}

/// weight [rows, columns] in fp32, of a parameter of `shape`, with one delta added.
at::Tensor with_delta(const at::Tensor& weight, at::IntArrayRef shape, const Delta& delta, const Factors& factors) {
  at::Tensor sum;
  if (delta.kind == DeltaKind::lora && !factors.has("mid")) {
    sum = at::addmm(weight, rows_of(factors.matrix("up"), delta), factors.matrix("down"), 1, delta.scale);
  } else {
    sum = weight + rows_of(product_of(factors, delta), delta) * delta.scale;
  }
  if (factors.has("magnitude")) return with_magnitude(sum, shape, factors.tensor("magnitude"), true, delta);
  if (!factors.has("dora_scale")) return sum;
  const at::Tensor magnitude = factors.tensor("dora_scale");
  return with_magnitude(sum, shape, magnitude, magnitude.size(0) != 1 || magnitude.numel() == 1, delta);
}

}  // namespace

Deltas::Deltas(const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) {
    deltas_[delta.parameter].push_back(&delta);
    if (files_.contains(delta.file)) continue;
    std::unique_ptr<io::TensorFile> file = io::open_tensor_file(delta.file, ErrorKind::input);
    const io::TensorFile* const tensors = file.get();
    core::WeightScales scales = io::read_weight_scales({&tensors, 1}, {&delta.file, 1}, ErrorKind::input);
    files_.emplace(delta.file, FactorFile{std::move(file), std::move(scales)});
  }
}

at::Tensor Deltas::added(const at::Tensor& weight, const std::string& parameter) const {
  const auto found = deltas_.find(parameter);
  if (found == deltas_.end()) return weight;
  const at::Tensor whole = weight.to(at::kFloat);
  at::Tensor sum = whole.dim() > 1 ? whole.flatten(1) : whole.unsqueeze(1);
  for (const Delta* delta : found->second) {
    sum = with_delta(sum, weight.sizes(), *delta, Factors(*delta, files_.at(delta->file)));
  }
  return sum.view(weight.sizes());
}

}  // namespace lapis::engine
