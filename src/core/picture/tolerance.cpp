#include "core/picture/tolerance.hpp"

#include <array>
#include <string_view>

#include "core/picture/similarity.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

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

}  // namespace

Tolerance latent_tolerance() { return {.fail_percent = 100, .hard_fail = 1e-4}; }

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
