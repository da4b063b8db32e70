// Whether two sides count as equal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/text/job_limits.hpp"

namespace lapis::core {

/// What two sides that count as equal may differ in: thresholds as of OpenImageIO's idiff. What equals a threshold is
/// within it. A level is one of the 255 of a picture's value, and of a latent as much as its own numbers say.
struct Tolerance {
  double fail = 0;                      ///< a value that differs by more is one that differs
  double fail_percent = 0.1;            ///< that many values may differ
  std::optional<double> hard_fail = 1;  ///< no value may differ by more; none: by any amount
  std::optional<double> warn = {};      ///< as `fail`, of what is told and counts as equal all the same
  double warn_percent = 0;              ///< as `fail_percent`
  std::optional<double> min_psnr = {};  ///< dB
  std::optional<double> min_ssim = {};
  std::optional<double> max_flip = {};  ///< of the mean
};

/// A threshold: options, suites, reports and documents all have it from its row.
struct Threshold {
  std::string_view name;        ///< "fail_percent"
  std::string_view value_name;  ///< "PERCENT"
  std::string_view help;        ///< with other thresholds in braces
  Limits limits;
  std::variant<double Tolerance::*, std::optional<double> Tolerance::*> member;
  bool of_pictures = false;  ///< alone
};

std::span<const Threshold> thresholds();

/// Thresholds as somebody says them, by their keys, which are those of the table. Where nothing is said, the usual ones
/// hold. Who names `fail` asks for no `hard_fail` but the one that is named, and where that is for latents, for 0.1
/// percent.
using AskedTolerance = std::map<std::string, double, std::less<>>;

/// What of two pictures counts as equal; and of two latents, of which those are equal that another number of threads
/// rounded otherwise: every value within 1e-4. Throws Error{usage} for a number beyond a threshold's limits.
Tolerance picture_tolerance(const AskedTolerance& asked = {});
Tolerance latent_tolerance(const AskedTolerance& asked = {});

/// One value of both sides.
struct ValuePair {
  std::int64_t picture = 0;  ///< of a latent's batch
  std::int64_t channel = 0;
  std::int64_t x = 0;
  std::int64_t y = 0;
  double a = 0;
  double b = 0;
};

/// What is measured of two pictures of one size.
struct PictureMeasures {
  std::uint64_t pixels = 0;
  std::uint64_t pixels_above = 0;  ///< of which a value differs by more than `Tolerance::fail`
  double psnr = 0;                 ///< dB; infinite for equal pictures
  std::optional<double> ssim;      ///< none for different pictures with a side below `ssim_window`
  double flip = 0;                 ///< the mean
  int flip_x = 0;                  ///< of the largest error
  int flip_y = 0;
};

/// How far apart two sides of one size are.
struct Difference {
  std::uint64_t values = 0;     ///< of each side
  std::uint64_t different = 0;  ///< that are not the same
  std::uint64_t above_fail = 0;
  std::uint64_t above_warn = 0;
  double largest = 0;
  double mean = 0;
  ValuePair worst;                         ///< where it is largest: the first of several
  std::optional<PictureMeasures> picture;  ///< none of latents
  double relative = 0;  ///< of latents: root of the sum of squared differences over that of the larger side's squares

  bool identical() const { return different == 0; }
};

/// A threshold that is not kept.
struct Breach {
  std::string threshold;  ///< its key: "hard_fail"
  std::string text;       ///< by how much: it names the threshold as a field
};

/// What thresholds say of a difference.
struct Judgement {
  std::vector<Breach> breaches;  ///< none: the sides are equal
  std::optional<Breach> warning;

  bool equal() const { return breaches.empty(); }
};

/// Holds a difference against the thresholds it was counted for. Identical sides keep every threshold.
Judgement judge(const Difference& difference, const Tolerance& tolerance);

/// Where a value stands and what the two sides have there: "x 12, y 40: red is 17 and 60".
std::string place_text(const Difference& difference);

/// "43 levels"; "0.0021" of latents.
std::string amount_text(const Difference& difference, double amount);

/// "812 of 12288 (6.608 %)".
std::string share_text(std::uint64_t part, std::uint64_t whole);

}  // namespace lapis::core
