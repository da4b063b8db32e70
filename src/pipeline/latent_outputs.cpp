#include "pipeline/latent_outputs.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "io/report/latent_report.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::pipeline {
namespace {

/// The ending of files of this format, as this program writes them.
std::string ending_of(io::LatentFormat format) {
  const io::LatentFormatRow& row = io::latent_format_row(format);
  return row.endings.empty() ? ".safetensors" : row.endings.front();
}

/// The last part of a path, which one that ends in "/" has too.
std::string last_name(const std::filesystem::path& path) {
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

/// "a-tiny-sdxl.safetensors": what it was, and what it becomes.
std::string default_latent(const ConvertWords& words, io::LatentFormat format) {
  std::string what = words.to.empty() ? words.format : last_name(words.to);
  for (const std::string* word : {&words.units, &words.dtype, &words.size}) {
    if (what.empty()) what = *word;
  }
  std::ranges::replace(what, ':', '-');
  return latent_stem(words.latent) + (what.empty() ? "" : "-" + what) + ending_of(format);
}

/// Writes `document` with what was counted since `saving` began; `report` lacks what only the file tells.
Written write_latent(const std::string& path, const io::LatentDocument& document, io::LatentReport report,
                     const Outlet& outlet) {
  const core::Stopwatch saving;
  const std::vector<std::byte> bytes = io::write_latent(document, report.format);
  return write_output(path, bytes, outlet, saving, [&](const std::string& sha256, double seconds) {
    report.path = path;
    report.sha256 = sha256;
    report.passport = document.passport;
    report.timings.png = seconds;
    report.timings.total = outlet.started.seconds();
    return io::latent_file_line(report);
  });
}

}  // namespace

EncodeOutputs name_encode_outputs(const std::string& output, const std::string& format,
                                  const std::vector<std::string>& pictures) {
  const std::string usual =
      "{name}" + ending_of(format.empty() ? io::LatentFormat::lapis : io::find_latent_format(format).format);
  const std::string pattern = output.empty() ? usual : in_folder(output, usual);
  EncodeOutputs outputs;
  outputs.format = output_format(format, pattern);
  io::check_can_hold(outputs.format, {});
  for (std::string& name : latent_names(pattern, pictures)) outputs.latents.push_back({std::move(name), std::nullopt});
  return outputs;
}

void plan_encode_outputs(EncodeOutputs& outputs, EncodePlan& plan, const Outlet& outlet, const ModelCatalog& models) {
  plan_outputs(outputs.latents, outlet.policy, models);
  if (!plan.one_latent) {
    std::erase_if(plan.pictures, [&](const PictureInput& picture) { return outputs.latents[picture.index].stays; });
  }
  plan.seconds = outlet.started.seconds();
}

Written save(const EncodedPictures& encoded, const EncodePlan& plan, const EncodeOutputs& outputs,
             const Outlet& outlet) {
  io::LatentReport report;
  report.format = outputs.format;
  report.model = plan.model->name;
  report.pictures = encoded.pictures;
  report.size = encoded.size;
  report.notes = spelled(encoded.notes, outlet);
  report.timings = encoded.timings;
  return write_latent(outputs.latents[plan.one_latent ? 0 : encoded.first].path, encoded.document, std::move(report),
                      outlet);
}

std::string convert_name(const ConvertWords& words, io::LatentFormat format) {
  const std::string usual = default_latent(words, format);
  return words.output.empty() ? usual : in_folder(words.output, usual);
}

Output plan_convert_output(const ConvertWords& words, ConvertPlan& plan, const Outlet& outlet,
                           const ModelCatalog& models) {
  Output output;
  output.path = convert_name(words, plan.format);
  plan_outputs({&output, 1}, outlet.policy, models);
  plan.seconds = outlet.started.seconds();
  return output;
}

Written save(const Converted& converted, const ConvertPlan& plan, const Output& output, const Outlet& outlet) {
  io::LatentReport report;
  report.format = plan.format;
  report.from = core::space_name(plan.latent.passport().space);
  report.route = core::verdict_name(core::verdict(plan.route));
  report.size = core::picture_size(converted.document.passport);
  report.psnr = converted.measured.psnr;
  report.compensated = converted.measured.compensated;
  report.plain_psnr = converted.measured.plain_psnr;
  report.timings = converted.timings;
  return write_latent(output.path, converted.document, std::move(report), outlet);
}

}  // namespace lapis::pipeline
