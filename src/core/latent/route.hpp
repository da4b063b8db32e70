// A latent's route to where it is sent, as a list of steps, and all that is read off the list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/latent/route_step.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// The way of a latent to a target, or why there is none. All else of it (verdict, cost, texts, history) is read off
/// the steps.
struct Route {
  std::vector<RouteStep> steps;  ///< in order; none where nothing is to be done, and where it is refused
  bool refused = false;
  std::string reason;  ///< whole sentences, which name both sides with their numbers
  std::string advice;  ///< of a refusal: what to do, a command to type where there is one
  Space space;         ///< that the latent arrives in
  PixelSize size;      ///< of its picture when it arrives; 0 x 0 where the latent does not say its own
};

/// What a route comes to: re_encode where any step asks for it, else rescale, else repack.
Verdict verdict(const Route& route);

/// Calls of VAEs, for each picture.
struct RouteCost {
  int decodes = 0;
  int encodes = 0;

  bool operator==(const RouteCost&) const = default;
};

/// What running the route costs.
RouteCost cost(const Route& route);

/// "1 decode, 1 encode, 1 decode to measure", or "no call of a VAE".
std::string cost_text(const Route& route);

/// Whether the way back gives the same numbers, but for rounding in fp32.
bool is_lossless(const Route& route);

/// The steps for people, one line each. Of a route through a picture the lines say what is done to the picture, and
/// leave out the units and layouts in which its VAEs take and give numbers.
std::vector<std::string> step_texts(const Route& route);

/// What running a route found out of it.
struct Measured {
  std::optional<double> psnr;        ///< dB, the pictures that went in against those that come out; none: not measured
  int compensated = 0;               ///< pictures that were encoded with shifted colours
  std::optional<double> plain_psnr;  ///< dB without compensated colours; none where colours were not compensated
};

/// What a route adds to the history of a latent: an entry for each change of its space, in order.
std::vector<Transcode> history(const Route& route, const Measured& measured = {});

/// Throws Error{incompatible} for a refusal: the reason on one line, the advice on the next.
void require(const Route& route);

}  // namespace lapis::core
