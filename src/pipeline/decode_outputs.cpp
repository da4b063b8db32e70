#include "pipeline/decode_outputs.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/text/sentence.hpp"
#include "io/picture/pixels_digest.hpp"
#include "io/picture/png.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::pipeline {

std::vector<std::string> decode_names(const std::string& output, const std::string& path, const DecodePlan& plan) {
  const std::optional<std::uint64_t> seed = io::recorded_number(plan.latent.passport(), "seed");
  const std::string usual = latent_stem(path) + ".png";
  const std::string pattern = output.empty() ? usual : in_folder(output, usual);
  if (!seed && (pattern.find("{seed}") != std::string::npos || pattern.find("{seed:") != std::string::npos)) {
    throw Error(ErrorKind::usage,
                core::sentence("{-output} {}: {} records no seed. Use {{index}}", pattern, plan.latent.name));
  }
  return picture_names(pattern, seed.value_or(0), plan.batch());
}

std::vector<Output> plan_decode_outputs(const std::string& output, const std::string& path, DecodePlan& plan,
                                        const Outlet& outlet, const ModelCatalog& models) {
  std::vector<Output> pictures = picture_outputs(decode_names(output, path, plan));
  plan_outputs(pictures, outlet.policy, models);
  plan.wanted = written_places(pictures);
  plan.seconds = outlet.started.seconds();
  return pictures;
}

Written save(const DecodedPicture& picture, const DecodePlan& plan, const std::vector<Output>& outputs,
             const Outlet& outlet) {
  const core::Stopwatch saving;
  const Passport& passport = plan.latent.passport();
  const std::vector<std::byte> png = io::encode_png(picture.image, io::decoded_text(passport, picture.decoding));
  const std::string& path = outputs[static_cast<std::size_t>(picture.decoding.index)].path;
  return write_output(path, png, outlet, saving, [&](const std::string& sha256, double seconds) {
    io::DecodedReport report;
    report.path = path;
    report.sha256 = sha256;
    report.pixels_sha256 = io::pixels_sha256(picture.image);
    report.latent = plan.latent.name;
    report.passport = passport;
    report.decoding = picture.decoding;
    report.size = {picture.image.width, picture.image.height};
    report.notes = spelled(plan.notes, outlet);
    report.timings = picture.timings;
    report.timings.png = seconds;
    report.timings.total = outlet.started.seconds();
    return io::decoded_line(report);
  });
}

}  // namespace lapis::pipeline
