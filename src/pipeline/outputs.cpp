#include "pipeline/outputs.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {

void check_output(const OutputPolicy& policy) {
  if (!policy.overwrite || !policy.skip_existing) return;
  throw Error(ErrorKind::usage,
              core::sentence("{overwrite} replaces what is there, and {skip_existing} leaves it. Give one of the two"));
}

bool stays(const OutputPolicy& policy, const std::string& path) {
  std::error_code ignored;
  return policy.skip_existing && std::filesystem::is_regular_file(path, ignored);
}

std::vector<Output> picture_outputs(std::vector<std::string> names) {
  std::vector<Output> outputs;
  for (std::string& name : names) outputs.push_back({std::move(name), static_cast<int>(outputs.size())});
  return outputs;
}

void plan_outputs(std::span<Output> outputs, const OutputPolicy& policy, const ModelCatalog& models) {
  check_output(policy);
  for (Output& output : outputs) {
    if (output.path == "-") continue;
    output.stays = stays(policy, output.path);
    if (output.stays) continue;
    io::check_writable(output.path, policy.overwrite);
    models.check_no_output(output.path);
  }
}

std::vector<int> written_places(std::span<const Output> outputs) {
  std::vector<int> places;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].stays) places.push_back(static_cast<int>(i));
  }
  return places;
}

std::vector<std::string> paths_that_stay(std::span<const Output> outputs) {
  std::vector<std::string> paths;
  for (const Output& output : outputs) {
    if (output.stays) paths.push_back(output.path);
  }
  return paths;
}

bool all_stay(std::span<const Output> outputs) { return std::ranges::all_of(outputs, &Output::stays); }

std::filesystem::path real_path(const std::string& name) {
  std::error_code ignored;  // what cannot be looked at is told by whoever opens it
  const std::filesystem::path whole = std::filesystem::absolute(name, ignored);
  std::error_code error;
  std::filesystem::path real = std::filesystem::weakly_canonical(whole, error);
  return error ? whole : real;
}

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code ignored;
  const std::filesystem::path real = real_path(one);
  return real == real_path(other) && !std::filesystem::is_character_file(real, ignored);
}

std::vector<std::string> spelled(std::vector<std::string> texts, const Outlet& outlet) {
  for (std::string& text : texts) text = outlet.spelled ? outlet.spelled(text) : core::plain(text);
  return texts;
}

Written write_output(const std::string& path, std::span<const std::byte> bytes, const Outlet& outlet,
                     const core::Stopwatch& saving, const Report& report) {
  if (path == "-") {
    outlet.standard_output(bytes);
  } else {
    io::write_file(path, bytes, outlet.policy.overwrite);
  }
  if (!outlet.reports) return {path, "", ""};
  const double seconds = saving.seconds();
  const std::string sha256 = io::sha256(bytes);
  return {path, sha256, report(sha256, seconds)};
}

}  // namespace lapis::pipeline
