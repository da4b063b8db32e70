#include "pipeline/compare_outputs.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <system_error>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "io/file/atomic_file.hpp"
#include "io/picture/png.hpp"
#include "io/report/compare_report.hpp"
#include "io/report/junit.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

std::optional<Output> output_of(const std::string& name, std::string_view key, const std::string& usual) {
  if (name.empty()) return std::nullopt;
  const std::string path = output_name(in_folder(name, usual));
  if (path == "-") {
    throw Error(ErrorKind::usage,
                core::sentence("{} {}: standard output has the text. Name a file", core::field_name(key), name));
  }
  return Output{path, std::nullopt};
}

void check_png(const std::string& path) {
  const fs::path ending = fs::path(path).extension();
  if (core::equal_ignoring_case(ending.string(), ".png")) return;
  throw Error(ErrorKind::usage, core::sentence("{diff} {}: a difference is written as PNG", path),
              core::sentence("Type: {diff} {}", core::shell_word(path + ".png")));
}

/// Throws where an output would take the place of what is compared.
void check_apart(const Output& output, std::span<const std::string> others, std::string_view key) {
  for (const std::string& other : others) {
    if (other == "-" || !is_same_file(output.path, other)) continue;
    throw Error(ErrorKind::usage,
                core::sentence("{} {}: that is {}. Name another file", core::field_name(key), output.path, other));
  }
}

bool are_folders(std::span<const std::string> paths) {
  return !paths.empty() && std::ranges::all_of(paths, [](const std::string& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
  });
}

/// The folder of differences; what lies in it must be of no harm.
std::string plan_folder(const std::string& folder, std::span<const std::string> inputs, const OutputPolicy& policy) {
  std::error_code ignored;
  for (const std::string& input : inputs) {
    const fs::path within =
        fs::weakly_canonical(folder, ignored).lexically_relative(fs::weakly_canonical(input, ignored));
    if (within.empty() || *within.begin() == "..") continue;
    throw Error(ErrorKind::usage, core::sentence("{diff} {}: that is in {}. Name a folder beside it", folder, input));
  }
  if (!fs::exists(folder, ignored) || policy.overwrite || policy.skip_existing) return folder;
  if (fs::is_directory(folder, ignored) && fs::is_empty(folder, ignored)) return folder;
  throw Error(ErrorKind::output, core::sentence("{} is there already, and no empty folder.", folder),
              core::sentence("Name another folder, or write into it all the same: {overwrite}"));
}

}  // namespace

std::vector<Output> CompareOutputs::all() const {
  std::vector<Output> outputs;
  if (diff) outputs.push_back(*diff);
  if (junit) outputs.push_back(*junit);
  return outputs;
}

CompareOutputs plan_compare_outputs(const CompareOutputNames& names, std::span<const std::string> inputs,
                                    const OutputPolicy& policy) {
  check_output(policy);
  CompareOutputs outputs;
  if (!names.diff.empty() && are_folders(inputs)) {
    outputs.diff_folder = plan_folder(names.diff, inputs, policy);
  } else {
    outputs.diff = output_of(names.diff, "diff", "difference.png");
  }
  outputs.junit = output_of(names.junit, "junit", "compare.xml");
  if (outputs.diff) {
    check_png(outputs.diff->path);
    outputs.diff->path = picture_names(outputs.diff->path, 0, 1).front();
    check_apart(*outputs.diff, inputs, "diff");
    plan_outputs({&*outputs.diff, 1}, policy);
  }
  if (outputs.junit) {
    check_apart(*outputs.junit, inputs, "junit");
    if (outputs.diff) check_apart(*outputs.junit, std::array{outputs.diff->path}, "junit");
    plan_outputs({&*outputs.junit, 1}, policy);
  }
  return outputs;
}

bool save_drawing(const std::string& name, const Image& drawing, const CompareOutputs& outputs,
                  const OutputPolicy& policy) {
  const fs::path path = fs::path(outputs.diff_folder) / (name.ends_with(".png") ? name : name + ".png");
  if (stays(policy, path.string())) return false;
  std::error_code ignored;  // what cannot be made is told by whoever writes there
  fs::create_directories(path.parent_path(), ignored);
  io::write_file(path, io::encode_png(drawing, {}), policy.overwrite);
  return true;
}

std::vector<std::string> save(const Comparison& comparison, const CompareOutputs& outputs, const OutputPolicy& policy) {
  std::vector<std::string> paths;
  if (outputs.draws() && comparison.drawing) {
    io::write_file(outputs.diff->path, io::encode_png(*comparison.drawing, {}), policy.overwrite);
    paths.push_back(outputs.diff->path);
  }
  if (outputs.junit && !outputs.junit->stays) {
    const std::string xml = io::junit_xml({io::compare_suite(comparison.pairs)});
    io::write_file(outputs.junit->path, std::as_bytes(std::span(xml)), policy.overwrite);
    paths.push_back(outputs.junit->path);
  }
  return paths;
}

}  // namespace lapis::pipeline
