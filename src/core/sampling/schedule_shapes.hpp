// How noise levels lie between the largest and the smallest, whatever the model.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// The smallest and the largest of some noise levels, 0 < smallest <= largest.
struct SigmaRange {
  double smallest;
  double largest;
};

/// n values from `first` to `last`, both included; `first` alone where n is 1.
std::vector<double> evenly(double first, double last, int n);

/// n falling sigmas, evenly in their seventh root (Karras et al. 2022, "Elucidating the Design Space of Diffusion-Based
/// Generative Models", eq. 5 with rho 7).
std::vector<double> karras_sigmas(SigmaRange range, int n);

/// n falling sigmas, evenly in the logarithm.
std::vector<double> exponential_sigmas(SigmaRange range, int n);

/// n falling sigmas at the quantiles of the distribution Beta(0.6, 0.6) (Lee et al. 2024, "Beta Sampling is All You
/// Need"), on sigma as diffusers and A1111 have it; ComfyUI takes them of the time.
std::vector<double> beta_sigmas(SigmaRange range, int n);

/// n falling sigmas, evenly in the arc tangent (Sabour et al. 2024, "Align Your Steps", eq. 17 of its appendix: the
/// optimum for one Gaussian).
std::vector<double> kl_optimal_sigmas(SigmaRange range, int n);

/// n falling sigmas: half of the steps over the first 2.5 % of the way, evenly, then a parabola (Genmo's Mochi;
/// ComfyUI).
std::vector<double> linear_quadratic_sigmas(double largest, int n);

/// The p-quantile of Beta(a, b): the x in [0, 1] whose regularised incomplete beta function is p.
double beta_quantile(double p, double a, double b);

/// A published table of Align Your Steps (Sabour et al. 2024;
/// research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto).
struct AysTable {
  std::string space;           ///< whose models it was optimised for
  std::vector<double> sigmas;  ///< of ten steps; the last is where the tenth step would end, which 0 takes the place of
};

std::span<const AysTable> ays_tables();

/// The Align Your Steps table for models of a space; null where there is none.
const AysTable* find_ays_table(std::string_view space);

/// The sigmas of a table at n steps: straight in the logarithm over n + 1 points, without the last.
std::vector<double> ays_sigmas(const AysTable& table, int n);

}  // namespace lapis::core
