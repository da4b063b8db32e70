#include "pipeline/compare_outputs.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
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
  if (is_picture_name(path)) return;
  throw Error(ErrorKind::usage, core::sentence("{diff} {}: a difference is written as PNG", path),
              core::sentence("Type: {diff} {}", core::shell_word(path + ".png")));
}

/// Files that no output may take the place of, by their paths without links, as they were named.
using Taken = std::map<fs::path, std::string>;

/// What is compared: of folders, each file in them.
Taken compared_files(std::span<const std::string> inputs) {
  Taken taken;
  for (const std::string& input : inputs) {
    if (input == "-") continue;
    taken.emplace(real_path(input), input);
    if (!is_folder(input)) continue;
    for (const std::string& name : names_in(input).names) {
      const std::string path = (fs::path(input) / name).string();
      taken.emplace(real_path(path), path);
    }
  }
  return taken;
}

void check_apart(const std::string& path, const Taken& taken, std::string_view key) {
  const auto found = taken.find(real_path(path));
  std::error_code ignored;
  if (found == taken.end() || fs::is_character_file(found->first, ignored)) return;
  throw Error(ErrorKind::usage,
              core::sentence("{} {}: that is {}. Name another file", core::field_name(key), path, found->second));
}

fs::path drawing_path(const std::string& folder, const std::string& name) {
  return fs::path(folder) / (name.ends_with(".png") ? name : name + ".png");
}

/// The folder of differences; what lies in it must be of no harm.
std::string plan_folder(const std::string& folder, std::span<const std::string> inputs, const OutputPolicy& policy) {
  std::error_code ignored;
  for (const std::string& input : inputs) {
    const fs::path within = real_path(folder).lexically_relative(real_path(input));
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
  Taken taken = compared_files(inputs);
  if (!names.diff.empty() && !inputs.empty() && std::ranges::all_of(inputs, is_folder)) {
    outputs.diff_folder = plan_folder(names.diff, inputs, policy);
    for (const std::string& name : names_in(inputs.front()).names) {
      check_apart(drawing_path(names.diff, name).string(), taken, "diff");
    }
  } else {
    outputs.diff = output_of(names.diff, "diff", "difference.png");
  }
  outputs.junit = output_of(names.junit, "junit", "compare.xml");
  if (outputs.diff) {
    check_png(outputs.diff->path);
    outputs.diff->path = picture_names(outputs.diff->path, 0, 1).front();
    check_apart(outputs.diff->path, taken, "diff");
    taken.emplace(real_path(outputs.diff->path), outputs.diff->path);
    plan_outputs({&*outputs.diff, 1}, policy);
  }
  if (outputs.junit) {
    check_apart(outputs.junit->path, taken, "junit");
    plan_outputs({&*outputs.junit, 1}, policy);
  }
  return outputs;
}

bool save_drawing(const std::string& name, const Image& drawing, const CompareOutputs& outputs,
                  const OutputPolicy& policy) {
  const fs::path path = drawing_path(outputs.diff_folder, name);
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
