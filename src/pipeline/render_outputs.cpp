#include "pipeline/render_outputs.hpp"

#include <algorithm>
#include <cstddef>
#include <string>

#include "core/latent/latents.hpp"
#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "io/picture/pixels_digest.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::pipeline {
namespace {

/// Throws for a job that stops half way and has nowhere to keep what it leaves, or wants pictures of it.
void check_stop(const Job& job) {
  if (!job.stop_at) return;
  if (!job.latent) {
    throw Error(ErrorKind::usage,
                core::sentence("{stop_at} leaves a latent, and no picture. Say where to keep it: {latent} FILE"));
  }
  if (wants_pictures(job)) {
    throw Error(ErrorKind::usage, core::sentence("{stop_at} leaves no picture to write. Leave {-output} out"));
  }
}

std::vector<Output> named_pictures(const Job& job, const ResolvedJob& resolved) {
  const std::string pattern = in_folder(job.output.value_or(default_pictures), default_pictures);
  return picture_outputs(picture_names(pattern, resolved.seed, resolved.batch));
}

/// Throws where a picture and the latents would go to one place.
void check_apart(const RenderOutputs& outputs) {
  const std::string& latent = outputs.latent->path;
  for (const Output& picture : outputs.pictures) {
    if (latent == "-" && picture.path == "-") {
      throw Error(ErrorKind::usage,
                  core::sentence("{latent} - and {-output} - both want standard output. Name a file with {-output}"));
    }
    if (latent == "-" || picture.path == "-" || !is_same_file(picture.path, latent)) continue;
    throw Error(ErrorKind::usage, core::sentence("{-output} and {latent} both name {}.", latent),
                "Give pictures and latents files of their own");
  }
}

io::LatentFormat latent_format(const Job& job, const std::string& path) {
  if (path == "-") return io::LatentFormat::lapis;
  const io::LatentFormat format = output_format("", path, "latent");
  if (!job.stop_at || format == io::LatentFormat::lapis) return format;
  throw Error(ErrorKind::usage,
              core::sentence("{latent} {}: the format {} cannot hold a partially denoised latent, which {stop_at} "
                             "leaves. Let the name end in .safetensors",
                             path, io::latent_format_row(format).name));
}

/// Latents are those of all pictures.
void narrow(RenderPlan& plan, const RenderOutputs& outputs) {
  const std::vector<int> drawn = written_places(outputs.pictures);
  plan.pictures = !drawn.empty();
  if (!outputs.writes_latent()) plan.wanted = drawn;
}

/// What a report of a picture and one of latents have in common.
template <typename Result>
io::PictureReport report_on(const Result& result, const Outlet& outlet, double seconds) {
  io::PictureReport report;
  report.device = result.device;
  report.dtype = result.dtype;
  report.fields = result.fields;
  report.history = result.history;
  report.notes = spelled(result.notes, outlet);
  report.warnings = spelled(result.warnings, outlet);
  report.timings = result.timings;
  report.timings.png += seconds;
  report.timings.total = outlet.started.seconds();
  return report;
}

}  // namespace

bool wants_pictures(const Job& job) { return job.output || !job.latent; }

std::vector<Output> RenderOutputs::all() const {
  std::vector<Output> outputs = pictures;
  if (latent) outputs.push_back(*latent);
  return outputs;
}

RenderOutputs name_render_outputs(const Job& job, const ResolvedJob& resolved) {
  check_stop(job);
  RenderOutputs outputs;
  if (wants_pictures(job)) outputs.pictures = named_pictures(job, resolved);
  if (!job.latent) return outputs;
  outputs.latent = Output{output_name(*job.latent), std::nullopt};
  check_apart(outputs);
  outputs.format = latent_format(job, outputs.latent->path);
  return outputs;
}

void plan_render_outputs(RenderOutputs& outputs, RenderPlan& plan, const OutputPolicy& policy,
                         const ModelCatalog& models) {
  check_output(policy);
  plan_outputs(outputs.pictures, policy, models);
  if (outputs.latent) plan_outputs({&*outputs.latent, 1}, policy, models);
  narrow(plan, outputs);
}

std::optional<Written> save(const DrawnPicture& picture, const RenderOutputs& outputs, const Outlet& outlet) {
  const Output& output = outputs.pictures[static_cast<std::size_t>(picture.index)];
  if (output.stays) return std::nullopt;
  const core::Stopwatch saving;
  return write_output(output.path, picture.png, outlet, saving, [&](const std::string& sha256, double seconds) {
    io::PictureReport report = report_on(picture, outlet, seconds);
    report.path = output.path;
    report.sha256 = sha256;
    report.pixels_sha256 = io::pixels_sha256(picture.image);
    report.index = picture.index;
    report.width = picture.size.width;
    report.height = picture.size.height;
    return io::picture_line(report);
  });
}

std::optional<Written> save(const RenderResult& result, const RenderOutputs& outputs, const Outlet& outlet) {
  if (!outputs.writes_latent()) return std::nullopt;
  const core::Stopwatch saving;
  const std::string& path = outputs.latent->path;
  const std::vector<std::byte> bytes = io::write_latent(result.latents, outputs.format);
  return write_output(path, bytes, outlet, saving, [&](const std::string& sha256, double seconds) {
    io::PictureReport report = report_on(result, outlet, seconds);
    report.path = path;
    report.sha256 = sha256;
    const PixelSize size = core::picture_size(result.latents.passport);
    report.width = size.width;
    report.height = size.height;
    return io::latent_line(report, io::to_latent(result.latents));
  });
}

}  // namespace lapis::pipeline
