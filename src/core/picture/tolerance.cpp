#include "core/picture/tolerance.hpp"

#include <array>
#include <string_view>

#include "core/picture/similarity.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

constexpr Limits level_limits = {0, 1e9};  // a latent's own numbers may be large
constexpr Limits percent_limits = {0, 100};
constexpr Limits psnr_limits = {0, 1000};
constexpr Limits share_limits = {0, 1};

// clang-format off
constexpr std::array<Threshold, 8> threshold_rows = {{
    {"fail",         "LEVEL",   "A value is different where it differs by more (0)", level_limits, &Tolerance::fail},
    {"fail_percent", "PERCENT", "That many of the values may be different (0.1; of latents 100, with {fail} 0.1)", percent_limits,
     &Tolerance::fail_percent},
    {"hard_fail",    "LEVEL",   "No value may differ by more (1; of latents 0.0001; with {fail} none)", level_limits,
     &Tolerance::hard_fail},
    {"warn",         "LEVEL",   "As {fail}, for a warning alone", level_limits, &Tolerance::warn},
    {"warn_percent", "PERCENT", "As {fail_percent}, for a warning alone (0)", percent_limits, &Tolerance::warn_percent},
    {"min_psnr",     "DB",      "Lowest PSNR of pictures", psnr_limits, &Tolerance::min_psnr, true},
    {"min_ssim",     "NUMBER",  "Lowest SSIM of pictures: 1 is equal", share_limits, &Tolerance::min_ssim, true},
    {"max_flip",     "NUMBER",  "Highest mean FLIP of pictures: 0 is equal", share_limits, &Tolerance::max_flip, true},
}};
// clang-format on

constexpr std::array<const char*, 4> colours = {"red", "green", "blue", "alpha"};

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

/// Whether more than so many percent are a part of the whole; a share that equals them is none above.
bool is_more(std::uint64_t part, std::uint64_t whole, double percents) {
  return static_cast<double>(part) * 100 > percents * static_cast<double>(whole);
}

/// "6.61 % of values differ by more than --fail 5": `level` is that of the field `key`.
std::string count_text(std::uint64_t part, std::uint64_t whole, double level, std::string_view key) {
  const std::string above = level > 0 ? sentence(" by more than {} {}", field_name(key), number_text(level)) : "";
  return sentence("{:.4g} % of values differ{}", percent(part, whole), above);
}

void check_values(const Difference& difference, const Tolerance& tolerance, std::vector<Breach>& breaches) {
  if (tolerance.hard_fail && difference.largest > *tolerance.hard_fail) {
    breaches.push_back(
        {"hard_fail", sentence("{}, more than {hard_fail} {}", amount_text(difference, difference.largest),
                               number_text(*tolerance.hard_fail))});
  }
  if (is_more(difference.above_fail, difference.values, tolerance.fail_percent)) {
    breaches.push_back(
        {"fail_percent", sentence("{}, more than {fail_percent} {}",
                                  count_text(difference.above_fail, difference.values, tolerance.fail, "fail"),
                                  number_text(tolerance.fail_percent))});
  }
}

void check_metrics(const Difference& difference, const Tolerance& tolerance, std::vector<Breach>& breaches) {
  const PictureMeasures& picture = *difference.picture;
  if (tolerance.min_psnr && picture.psnr < *tolerance.min_psnr) {
    breaches.push_back({"min_psnr", sentence("PSNR {:.4g} dB, less than {min_psnr} {}", picture.psnr,
                                             number_text(*tolerance.min_psnr))});
  }
  if (tolerance.min_ssim && !picture.ssim) {
    breaches.push_back({"min_ssim", sentence("SSIM is not measured of sides below {} pixels, and {min_ssim} is {}",
                                             ssim_window, number_text(*tolerance.min_ssim))});
  } else if (tolerance.min_ssim && *picture.ssim < *tolerance.min_ssim) {
    breaches.push_back({"min_ssim", sentence("SSIM {:.4f}, less than {min_ssim} {}", *picture.ssim,
                                             number_text(*tolerance.min_ssim))});
  }
  if (tolerance.max_flip && picture.flip > *tolerance.max_flip) {
    breaches.push_back({"max_flip", sentence("FLIP {:.4f}, most at x {}, y {}, more than {max_flip} {}", picture.flip,
                                             picture.flip_x, picture.flip_y, number_text(*tolerance.max_flip))});
  }
}

Tolerance with_asked(Tolerance tolerance, const AskedTolerance& asked) {
  if (asked.contains("warn_percent") && !asked.contains("warn")) {
    throw Error(ErrorKind::usage, sentence("{warn_percent} is for {warn}, which is not given"));
  }
  if (asked.contains("fail")) tolerance = {.hard_fail = std::nullopt};
  for (const Threshold& row : threshold_rows) {
    const auto said = asked.find(row.name);
    if (said == asked.end()) continue;
    const auto problem = limit_problem(field_name(row.name), said->second, row.limits);
    if (problem) throw Error(ErrorKind::usage, *problem);
    std::visit([&](const auto member) { tolerance.*member = said->second; }, row.member);
  }
  return tolerance;
}

}  // namespace

std::span<const Threshold> thresholds() { return threshold_rows; }

Tolerance picture_tolerance(const AskedTolerance& asked) { return with_asked({}, asked); }

Tolerance latent_tolerance(const AskedTolerance& asked) {
  return with_asked({.fail_percent = 100, .hard_fail = 1e-4}, asked);
}

Judgement judge(const Difference& difference, const Tolerance& tolerance) {
  Judgement judgement;
  if (difference.identical()) return judgement;
  check_values(difference, tolerance, judgement.breaches);
  if (difference.picture) check_metrics(difference, tolerance, judgement.breaches);
  if (tolerance.warn && is_more(difference.above_warn, difference.values, tolerance.warn_percent)) {
    judgement.warning =
        Breach{"warn_percent", sentence("{}, more than {warn_percent} {}",
                                        count_text(difference.above_warn, difference.values, *tolerance.warn, "warn"),
                                        number_text(tolerance.warn_percent))};
  }
  return judgement;
}

std::string place_text(const Difference& difference) {
  const ValuePair& worst = difference.worst;
  if (!difference.picture) {
    return sentence("picture {}, channel {}, x {}, y {}: {:.6g} and {:.6g}", worst.picture, worst.channel, worst.x,
                    worst.y, worst.a, worst.b);
  }
  return sentence("x {}, y {}: {} is {} and {}", worst.x, worst.y, colours.at(static_cast<std::size_t>(worst.channel)),
                  static_cast<int>(worst.a), static_cast<int>(worst.b));
}

std::string amount_text(const Difference& difference, double amount) {
  if (!difference.picture) return sentence("{:.4g}", amount);
  return sentence("{:.4g} {}", amount, amount == 1 ? "level" : "levels");
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  return sentence("{} of {} ({:.4g} %)", part, whole, percent(part, whole));
}

}  // namespace lapis::core
