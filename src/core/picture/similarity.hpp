// How alike two pictures are.
#pragma once

#include <string>

#include "lapis/image.hpp"

namespace lapis::core {

/// Peak signal-to-noise ratio of 8-bit samples in dB, over all three channels: 10 log10(255^2 / MSE). Infinite for
/// equal pictures. `a` and `b` are of one size.
double psnr(const Image& a, const Image& b);

/// "31.2 dB"; "equal" for an infinite one.
std::string psnr_text(double psnr);

/// Pixels along a side of the window of `ssim`.
inline constexpr int ssim_window = 11;

/// Structural similarity (Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity",
/// eq. 13), the mean over the channels: Gaussian window of 11 x 11 with deviation 1.5, K1 0.01, K2 0.03, over places
/// where the window lies inside. That is scikit-image's structural_similarity with gaussian_weights, sigma 1.5,
/// data_range 255 and use_sample_covariance off, which leaves out a border of 5 pixels. `a` and `b` are of one size,
/// with sides of 11 or more.
double ssim(const Image& a, const Image& b);

}  // namespace lapis::core
