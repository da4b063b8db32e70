#include "cli/inspect_measure.hpp"

#include <cstddef>
#include <cstdio>

#include "cli/progress.hpp"
#include "cli/terminal.hpp"
#include "core/latent/latents.hpp"
#include "core/text/sentence.hpp"
#include "io/report/latent_report.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/measure.hpp"

namespace lapis::cli {
namespace {

std::string number(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::vector<std::string> row_of(const io::Drift& drift) {
  std::vector<std::string> row = {drift.picture, core::size_text(drift.size), number(drift.psnr, "%.2f")};
  for (const double shift : drift.shift) row.push_back(number(shift, "%+.2f"));
  row.push_back(number(100 * drift.clipped, "%.2f"));
  return row;
}

/// The mean of all: of the PSNRs, not of what they are made from.
io::Drift mean_of(const std::vector<io::Drift>& drifts) {
  io::Drift mean{"mean", drifts.front().size, 0, {}, 0};
  const auto count = static_cast<double>(drifts.size());
  for (const io::Drift& drift : drifts) {
    mean.psnr += drift.psnr / count;
    for (std::size_t c = 0; c < 3; ++c) mean.shift[c] += drift.shift[c] / count;
    mean.clipped += drift.clipped / count;
  }
  return mean;
}

}  // namespace

int measure_model(const Model& model, const std::vector<std::string>& pictures, bool json) {
  Progress progress;
  pipeline::EngineDoor door({"auto", "auto", 0});
  const std::vector<io::Drift> drifts = pipeline::measure(model, pictures, door, listener(progress));
  if (json) {
    print_json(io::drift_report(model, drifts));
    return 0;
  }
  std::vector<std::vector<std::string>> table = {{"picture", "size", "PSNR, dB", "red", "green", "blue", "clipped, %"}};
  for (const io::Drift& drift : drifts) table.push_back(row_of(drift));
  if (drifts.size() > 1) {
    table.push_back(row_of(mean_of(drifts)));
    table.back()[1] = "";
  }
  print_table(table);
  print_note(core::sentence(
      "PSNR of each picture after the VAE of {} and back; red, green and blue: how far their means moved, in levels of "
      "255; clipped: samples that came to an end of the range",
      model.name));
  return 0;
}

}  // namespace lapis::cli
