#include "cli/inspect_measure.hpp"

#include <array>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "cli/engine_library.hpp"
#include "cli/source.hpp"
#include "cli/terminal.hpp"
#include "core/picture/colour_drift.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/picture/patterns.hpp"
#include "core/picture/similarity.hpp"
#include "io/report/latent_report.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

struct Sample {
  std::string name;
  Image image;
};

/// The user's pictures, brought to size as generate -i does.
std::vector<Sample> read_samples(const Model& model, const std::vector<std::string>& pictures) {
  std::vector<Sample> samples;
  for (const std::string& picture : pictures) {
    Job job;
    job.image = picture;
    job.strength = 1;  // of a walk that is not walked: 1 fits every model
    Source source(job, model);
    const ResolvedJob resolved = core::resolve(job, model, 0);
    samples.push_back({picture, source.fitted(resolved, model.space.downscale).image});
    for (const std::string& note : source.notes()) print_note(note);
  }
  return samples;
}

std::vector<Sample> drawn_samples(const Model& model) {
  std::vector<Sample> samples;
  for (const core::PatternRow& row : core::patterns()) {
    samples.push_back({row.name, row.draw(model.defaults.width, model.defaults.height)});
    print_note(row.name + ": " + row.description);
  }
  return samples;
}

io::Drift drift_of(Engine& engine, const Sample& sample) {
  const Image& before = sample.image;
  const Encoded encoded = engine.encode(before, "auto", std::nullopt);
  const Decoded decoded = engine.decode(encoded.latent, "auto");
  const Image& after = decoded.images.front();
  return {sample.name,
          {before.width, before.height},
          core::psnr(before, after),
          core::mean_shift(before, after),
          core::clipped_share(before, after)};
}

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
  const std::array<std::string, 2> parts = {"vae_encoder", "vae_decoder"};
  for (const std::string& part : parts) {
    if (!model.parts.contains(part)) {
      throw Error(ErrorKind::model, model.name + " has no " + part + ", so there is no way through its VAE and back");
    }
  }
  const std::vector<Sample> samples = pictures.empty() ? drawn_samples(model) : read_samples(model, pictures);
  std::future<std::unique_ptr<Engine>> opening = open_engine({"auto", "auto", 0});
  io::verify_parts(model, parts);
  Engine* engine = opening.get().release();  // never destroyed: the program leaves through _exit
  engine->use(model);
  std::vector<io::Drift> drifts;
  for (const Sample& sample : samples) drifts.push_back(drift_of(*engine, sample));
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
  print_note("PSNR of each picture after the VAE of " + model.name +
             " and back; red, green and blue: how far their means moved, in levels of 255; clipped: samples that came "
             "to an end of the range");
  return 0;
}

}  // namespace lapis::cli
