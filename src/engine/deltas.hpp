// What LoRAs add to the weights of a part while they are bound.
//
// W is a parameter, in its file's dtype, as a matrix whose rows are outputs; w the user's weight; everything is
// computed in fp32, from the checkpoint's own numbers, and rounded once to the dtype the part runs in. scale = w alpha
// / rank.
//
//   LoRA   W + scale up down, or up mid down with the core `mid` of a convolution     (Hu et al. 2021, equation 3)
//   LoHa   W + scale (w1_a w1_b) * (w2_a w2_b), element by element                    (Hyeon-Woo et al. 2022, FedPara)
//   LoKr   W + scale kron(w1, w2), each whole or a product of two                     (Yeh et al. 2024, LyCORIS, 3.2)
//   full   W + w diff
//   DoRA   m V / |V|, V = W + (any of the above), |V| by row, as peft does at any w   (Liu et al. 2024, equation 5)
//
// Factors that the file keeps with scales (core/checkpoint/weight_scales.hpp) are multiplied by them first.
// A core t [i, j, kernel] between `a` [i, rows] and `b` [j, columns] gives sum over i, j of a[i, r] t[i, j, k] b[j, c].
// The files of before 2024 that LyCORIS wrote have DoRA's m by columns: its shape says so, [1, columns, 1, 1].
#pragma once

#include <ATen/core/Tensor.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/weight_scales.hpp"
#include "io/file/tensor_file.hpp"
#include "lapis/attachments.hpp"

namespace lapis::engine {

/// A LoRA's file, mapped.
struct FactorFile {
  std::unique_ptr<io::TensorFile> tensors;
  core::WeightScales scales;
};

/// The deltas of one part, their files mapped.
class Deltas {
 public:
  /// Throws Error{input} for a file that cannot be read any more. No deltas cost nothing. Borrows them.
  explicit Deltas(const std::vector<Delta>& deltas);

  /// `weight` on the CPU, of any floating dtype, with everything that is for `parameter` added, one after the other: a
  /// tensor of its own in fp32; or `weight` itself, where nothing is. Throws Error{input} for factors with NaN or
  /// infinity, and for a file that changed since it was planned with.
  at::Tensor added(const at::Tensor& weight, const std::string& parameter) const;

 private:
  std::map<std::filesystem::path, FactorFile> files_;
  std::map<std::string, std::vector<const Delta*>> deltas_;  ///< by parameter
};

}  // namespace lapis::engine
